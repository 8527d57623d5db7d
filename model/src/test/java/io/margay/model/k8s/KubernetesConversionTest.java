package io.margay.model.k8s;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.model.net.Prefix;
import io.margay.model.resource.Action;
import io.margay.model.resource.EntityRule;
import io.margay.model.resource.FieldError;
import io.margay.model.resource.GlobalNetworkPolicy;
import io.margay.model.resource.Metadata;
import io.margay.model.resource.NetworkPolicy;
import io.margay.model.resource.PolicySpec;
import io.margay.model.resource.PolicyType;
import io.margay.model.resource.Port;
import io.margay.model.resource.Profile;
import io.margay.model.resource.Protocol;
import io.margay.model.resource.ResourceValidator;
import io.margay.model.resource.Rule;
import io.margay.model.selector.Selector;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class KubernetesConversionTest {

  private static final String PODS = "projectcalico.org/orchestrator == 'k8s'";
  private static final LabelSelector WEB = labels(Map.of("app", "web"));
  private static final PolicyPort TCP80 = port(Protocol.Named.TCP, 80, null);

  private static LabelSelector labels(Map<String, String> labels) {
    return new LabelSelector(labels, List.of());
  }

  private static PolicyPort port(Protocol protocol, int port, @Nullable Integer end) {
    return new PolicyPort(protocol, new Port.Single(port), end);
  }

  private static KubernetesNetworkPolicy policy(KubernetesNetworkPolicy.Spec spec) {
    return new KubernetesNetworkPolicy(Metadata.named("shop", "p"), spec);
  }

  private static KubernetesNetworkPolicy ingress(List<PolicyPeer> from, List<PolicyPort> ports) {
    return policy(
        new KubernetesNetworkPolicy.Spec(
            WEB,
            List.of(PolicyType.INGRESS),
            List.of(new KubernetesNetworkPolicy.IngressRule(from, ports)),
            List.of()));
  }

  private static PolicySpec converted(KubernetesNetworkPolicy policy) {
    assertThat(KubernetesValidator.validate(policy)).isEmpty();
    NetworkPolicy result = (NetworkPolicy) KubernetesConversion.convert(policy);
    assertThat(ResourceValidator.validate(result)).isEmpty();
    return result.spec();
  }

  @Test
  void a_policy_becomes_one_of_order_1000_in_the_default_tier_over_kubernetes_pods() {
    NetworkPolicy result =
        (NetworkPolicy) KubernetesConversion.convert(ingress(List.of(), List.of()));

    assertThat(result.metadata()).isEqualTo(Metadata.named("shop", "knp.default.p"));
    assertThat(result.spec().tier()).isEqualTo("default");
    assertThat(result.spec().order()).isEqualTo(1000);
    assertThat(result.spec().selector()).hasToString(PODS + " && app == 'web'");
    assertThat(result.spec().ingress()).containsExactly(Rule.of(Action.ALLOW));
  }

  static Stream<Arguments> types() {
    PolicyType in = PolicyType.INGRESS;
    PolicyType out = PolicyType.EGRESS;
    return Stream.of(
        Arguments.of(List.of(), false, false, List.of(in)),
        Arguments.of(List.of(), true, false, List.of(in)),
        Arguments.of(List.of(), false, true, List.of(in, out)),
        Arguments.of(List.of(), true, true, List.of(in, out)),
        Arguments.of(List.of(in), false, true, List.of(in)),
        Arguments.of(List.of(out), false, false, List.of(out)),
        Arguments.of(List.of(out), true, false, List.of(out)),
        Arguments.of(List.of(out, in), false, false, List.of(in, out)));
  }

  @ParameterizedTest(name = "{0}, ingress rules {1}, egress rules {2} -> {3}")
  @MethodSource("types")
  void policy_types(
      List<PolicyType> given, boolean ingress, boolean egress, List<PolicyType> expected) {
    KubernetesNetworkPolicy.Spec spec =
        new KubernetesNetworkPolicy.Spec(
            LabelSelector.EVERYTHING,
            given,
            ingress
                ? List.of(new KubernetesNetworkPolicy.IngressRule(List.of(), List.of()))
                : List.of(),
            egress
                ? List.of(new KubernetesNetworkPolicy.EgressRule(List.of(), List.of()))
                : List.of());

    assertThat(converted(policy(spec)).types()).isEqualTo(expected);
  }

  static Stream<Arguments> peers() {
    LabelSelector all = LabelSelector.EVERYTHING;
    Selector pods = Selector.parse(PODS);
    Selector web = Selector.parse(PODS + " && app == 'web'");
    Selector prod = Selector.parse("env == 'prod'");
    LabelSelector env = labels(Map.of("env", "prod"));
    return Stream.of(
        Arguments.of(new PolicyPeer(all, null, null), EntityRule.EMPTY.withSelector(pods)),
        Arguments.of(new PolicyPeer(WEB, null, null), EntityRule.EMPTY.withSelector(web)),
        Arguments.of(
            new PolicyPeer(null, all, null),
            EntityRule.EMPTY.withSelector(pods).withNamespaceSelector(Selector.ALL)),
        Arguments.of(
            new PolicyPeer(null, env, null),
            EntityRule.EMPTY.withSelector(pods).withNamespaceSelector(prod)),
        Arguments.of(
            new PolicyPeer(WEB, env, null),
            EntityRule.EMPTY.withSelector(web).withNamespaceSelector(prod)),
        Arguments.of(
            new PolicyPeer(
                null,
                null,
                new PolicyPeer.IpBlock(
                    Prefix.parse("10.0.0.0/8"), List.of(Prefix.parse("10.1.0.0/16")))),
            EntityRule.EMPTY
                .withNets(List.of(Prefix.parse("10.0.0.0/8")))
                .withNotNets(List.of(Prefix.parse("10.1.0.0/16")))));
  }

  @ParameterizedTest
  @MethodSource("peers")
  void peers_of_both_directions(PolicyPeer peer, EntityRule expected) {
    assertThat(converted(ingress(List.of(peer), List.of(TCP80))).ingress())
        .containsExactly(
            Rule.of(Action.ALLOW)
                .withProtocol(Protocol.Named.TCP)
                .withSource(expected)
                .withDestination(EntityRule.EMPTY.withPorts(List.of(new Port.Single(80)))));
    PolicySpec egress =
        converted(
            policy(
                new KubernetesNetworkPolicy.Spec(
                    WEB,
                    List.of(PolicyType.EGRESS),
                    List.of(),
                    List.of(
                        new KubernetesNetworkPolicy.EgressRule(List.of(peer), List.of(TCP80))))));
    assertThat(egress.egress())
        .containsExactly(
            Rule.of(Action.ALLOW)
                .withProtocol(Protocol.Named.TCP)
                .withDestination(expected.withPorts(List.of(new Port.Single(80)))));
  }

  static Stream<Arguments> ports() {
    return Stream.of(
        Arguments.of(List.of(), "any []"),
        Arguments.of(List.of(new PolicyPort(null, null, null)), "TCP []"),
        Arguments.of(List.of(new PolicyPort(null, new Port.Single(80), null)), "TCP [80]"),
        Arguments.of(List.of(port(Protocol.Named.UDP, 100, 110)), "UDP [100:110]"),
        Arguments.of(List.of(port(Protocol.Named.SCTP, 7, 7)), "SCTP [7]"),
        Arguments.of(List.of(TCP80, port(Protocol.Named.UDP, 53, null)), "TCP [80]; UDP [53]"),
        Arguments.of(
            List.of(
                port(Protocol.Named.TCP, 82, null),
                port(Protocol.Named.TCP, 80, 81),
                TCP80,
                port(Protocol.Named.TCP, 90, null),
                new PolicyPort(null, new Port.Named("http"), null)),
            "TCP [http, 80:82, 90]"),
        Arguments.of(List.of(TCP80, new PolicyPort(Protocol.Named.TCP, null, null)), "TCP []"));
  }

  @ParameterizedTest(name = "{1}")
  @MethodSource("ports")
  void ports_by_protocol(List<PolicyPort> ports, String expected) {
    List<Rule> rules = converted(ingress(List.of(), ports)).ingress();

    assertThat(
            String.join(
                "; ",
                rules.stream()
                    .map(
                        rule ->
                            (rule.protocol() == null ? "any" : rule.protocol().toString())
                                + " "
                                + rule.destination().ports())
                    .toList()))
        .isEqualTo(expected);
  }

  @Test
  void label_selectors_keep_their_meaning() {
    LabelSelector selector =
        new LabelSelector(
            Map.of("b", "2", "a", ""),
            List.of(
                requirement("c", LabelSelector.Operator.IN, "x", "y"),
                requirement("d", LabelSelector.Operator.NOT_IN, "z"),
                requirement("e", LabelSelector.Operator.EXISTS),
                requirement("f", LabelSelector.Operator.DOES_NOT_EXIST)));
    Selector converted =
        converted(
                policy(new KubernetesNetworkPolicy.Spec(selector, List.of(), List.of(), List.of())))
            .effectiveSelector();

    assertThat(converted)
        .hasToString(
            PODS
                + " && a == '' && b == '2' && c in { 'x', 'y' } && d not in { 'z' } && has(e)"
                + " && ! has(f)");
    Map<String, String> pod =
        Map.of("projectcalico.org/orchestrator", "k8s", "a", "", "b", "2", "c", "y", "e", "");
    // NotIn holds for a pod without the label (apimachinery Requirement.Matches).
    assertThat(converted.matches(pod::get)).isTrue();
  }

  private static LabelSelector.Requirement requirement(
      String key, LabelSelector.Operator operator, String... values) {
    return new LabelSelector.Requirement(key, operator, List.of(values));
  }

  @Test
  void a_namespace_becomes_a_profile_that_allows_and_hands_down_labels() {
    Profile profile =
        KubernetesConversion.namespaceProfile(
            new KubernetesNamespace(
                Metadata.named("shop").withLabels(Map.of("kubernetes.io/metadata.name", "shop"))));

    assertThat(profile.metadata()).isEqualTo(Metadata.named("kns.shop"));
    assertThat(profile.spec().ingress()).containsExactly(Rule.of(Action.ALLOW));
    assertThat(profile.spec().egress()).containsExactly(Rule.of(Action.ALLOW));
    assertThat(profile.spec().labelsToApply())
        .containsExactlyInAnyOrderEntriesOf(
            Map.of(
                "pcns.kubernetes.io/metadata.name", "shop", "pcns.projectcalico.org/name", "shop"));
  }

  @Test
  void a_service_account_becomes_a_profile_of_labels() {
    Profile profile =
        KubernetesConversion.serviceAccountProfile(
            new KubernetesServiceAccount(
                Metadata.named("shop", "robot").withLabels(Map.of("role", "x"))));

    assertThat(profile.metadata()).isEqualTo(Metadata.named("ksa.shop.robot"));
    assertThat(profile.spec().ingress()).isEmpty();
    assertThat(profile.spec().labelsToApply())
        .containsExactlyInAnyOrderEntriesOf(
            Map.of("pcsa.role", "x", "pcsa.projectcalico.org/name", "robot"));
  }

  static Stream<Arguments> invalid() {
    PolicyPeer.IpBlock block =
        new PolicyPeer.IpBlock(Prefix.parse("10.0.0.0/8"), List.of(Prefix.parse("11.0.0.0/16")));
    String from = "spec.ingress[0].from[0]";
    String port = "spec.ingress[0].ports[0]";
    return Stream.of(
        Arguments.of(from, peer(new PolicyPeer(null, null, null))),
        Arguments.of(from + ".ipBlock", peer(new PolicyPeer(WEB, null, block))),
        Arguments.of(from + ".ipBlock.except[0]", peer(new PolicyPeer(null, null, block))),
        Arguments.of(
            from + ".podSelector.matchLabels",
            peer(new PolicyPeer(labels(Map.of("a", "' || all() || a == '")), null, null))),
        Arguments.of(
            from + ".podSelector.matchExpressions[0].values",
            peer(
                new PolicyPeer(
                    new LabelSelector(
                        Map.of(), List.of(requirement("a", LabelSelector.Operator.IN))),
                    null,
                    null))),
        Arguments.of(
            from + ".namespaceSelector.matchExpressions[0].values",
            peer(
                new PolicyPeer(
                    null,
                    new LabelSelector(
                        Map.of(), List.of(requirement("a", LabelSelector.Operator.EXISTS, "x"))),
                    null))),
        Arguments.of(port + ".protocol", port(new PolicyPort(Protocol.Named.ICMP, null, null))),
        Arguments.of(port + ".port", port(port(Protocol.Named.TCP, 0, null))),
        Arguments.of(port + ".port", port(new PolicyPort(null, new Port.Range(1, 2), null))),
        Arguments.of(port + ".endPort", port(port(Protocol.Named.TCP, 80, 79))),
        Arguments.of(port + ".endPort", port(port(Protocol.Named.TCP, 80, 65536))),
        Arguments.of(port + ".endPort", port(new PolicyPort(null, null, 80))),
        Arguments.of(port + ".endPort", port(new PolicyPort(null, new Port.Named("x"), 80))));
  }

  private static KubernetesNetworkPolicy peer(PolicyPeer peer) {
    return ingress(List.of(peer), List.of());
  }

  private static KubernetesNetworkPolicy port(PolicyPort port) {
    return ingress(List.of(), List.of(port));
  }

  @ParameterizedTest(name = "{index} {0}")
  @MethodSource("invalid")
  void what_the_api_server_refuses_is_refused(String path, KubernetesNetworkPolicy policy) {
    assertThat(KubernetesValidator.validate(policy)).extracting(FieldError::path).contains(path);
  }

  @Test
  void each_rule_knows_which_of_the_documents_rules_it_comes_from() {
    PolicyPeer web = new PolicyPeer(WEB, null, null);
    KubernetesNetworkPolicy.Spec spec =
        new KubernetesNetworkPolicy.Spec(
            WEB,
            List.of(),
            List.of(
                new KubernetesNetworkPolicy.IngressRule(
                    List.of(web, web), List.of(TCP80, port(Protocol.Named.UDP, 53, null))),
                new KubernetesNetworkPolicy.IngressRule(List.of(), List.of())),
            List.of(new KubernetesNetworkPolicy.EgressRule(List.of(web), List.of())));

    Conversion conversion = KubernetesConversion.trace(policy(spec));

    assertThat(conversion.ingressOrigins()).containsExactly(0, 0, 0, 0, 1);
    assertThat(conversion.egressOrigins()).containsExactly(0);
    assertThat(((NetworkPolicy) conversion.resource()).spec().ingress()).hasSize(5);
  }

  private static AdminRule rule(String action, AdminRule.Peer... peers) {
    return new AdminRule(null, action, List.of(peers), null, null, null);
  }

  @Test
  void a_peer_nobody_knows_accepts_nothing_and_denies_everything() {
    AdminRule.Peer unknown = new AdminRule.Peer(null, null, null, null, null);
    AdminRule.Peer everyone = new AdminRule.Peer(LabelSelector.EVERYTHING, null, null, null, null);
    KubernetesClusterNetworkPolicy policy =
        new KubernetesClusterNetworkPolicy(
            Metadata.named("p"),
            new AdminPolicySpec(
                AdminPolicySpec.Tier.ADMIN,
                1,
                new AdminPolicySpec.Subject(LabelSelector.EVERYTHING, null),
                List.of(
                    rule("Accept", everyone, unknown),
                    rule("Pass", unknown),
                    rule("Deny", unknown, everyone),
                    rule("Accept", everyone)),
                List.of()));

    Conversion conversion = KubernetesConversion.trace(policy);

    List<Rule> rules = ((GlobalNetworkPolicy) conversion.resource()).spec().ingress();
    assertThat(rules.get(0)).isEqualTo(Rule.of(Action.DENY));
    assertThat(rules.get(1)).isEqualTo(Rule.of(Action.DENY));
    assertThat(rules.get(2).action()).isEqualTo(Action.ALLOW);
    assertThat(conversion.ingressOrigins()).containsExactly(1, 2, 3);
    assertThat(KubernetesValidator.validate(policy))
        .extracting(FieldError::path)
        .containsExactly(
            "spec.ingress[0].from[1]", "spec.ingress[1].from[0]", "spec.ingress[2].from[0]");
  }
}
