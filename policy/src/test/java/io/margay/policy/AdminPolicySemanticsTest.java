package io.margay.policy;

import static io.margay.policy.Semantics.example;
import static io.margay.policy.Semantics.verify;
import static io.margay.policy.testing.Things.globalNetworkSet;
import static io.margay.policy.testing.Things.globalPolicy;
import static io.margay.policy.testing.Things.host;
import static io.margay.policy.testing.Things.networkSet;
import static io.margay.policy.testing.Things.pod;
import static io.margay.policy.testing.Things.port;
import static io.margay.policy.testing.Things.selecting;
import static io.margay.policy.testing.Things.withPorts;

import io.margay.model.k8s.AdminPolicySpec;
import io.margay.model.k8s.AdminPolicySpec.Subject;
import io.margay.model.k8s.AdminPolicySpec.Tier;
import io.margay.model.k8s.AdminRule;
import io.margay.model.k8s.AdminRule.Destination;
import io.margay.model.k8s.AdminRule.NumberOrRange;
import io.margay.model.k8s.AdminRule.Peer;
import io.margay.model.k8s.AdminRule.ProtocolMatch;
import io.margay.model.k8s.ConvertedDocument;
import io.margay.model.k8s.KubernetesAdminNetworkPolicy;
import io.margay.model.k8s.KubernetesBaselineAdminNetworkPolicy;
import io.margay.model.k8s.KubernetesClusterNetworkPolicy;
import io.margay.model.k8s.KubernetesConversion;
import io.margay.model.k8s.KubernetesNamespace;
import io.margay.model.k8s.KubernetesNetworkPolicy;
import io.margay.model.k8s.KubernetesValidator;
import io.margay.model.k8s.LabelSelector;
import io.margay.model.k8s.NamespacedPods;
import io.margay.model.resource.Metadata;
import io.margay.model.resource.PolicyType;
import io.margay.model.resource.Protocol;
import io.margay.model.resource.Resource;
import io.margay.policy.Semantics.Case;
import io.margay.policy.testing.Things;
import io.margay.policy.testing.World;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The semantics of policy.networking.k8s.io, through its conversion, as literal verdict tables:
/// tier Admin, then NetworkPolicies, which are final for pods they select, then tier Baseline, then
/// everything is allowed.
class AdminPolicySemanticsTest {

  /// Namespace `a` (env=prod): `web` .1, `client` .2. Namespace `b` (env=dev): `web` .11, `client`
  /// .12. Network sets with the same labels, one in a namespace; a host.
  private static final World PODS =
      World.of(
          namespace("a", "env=prod"),
          namespace("b", "env=dev"),
          withPorts(
              pod("a", "web", "10.0.0.1,fd00::1", "app=web"),
              port("http", Protocol.Named.TCP, 8080),
              port("http", Protocol.Named.UDP, 8443)),
          pod("a", "client", "10.0.0.2,fd00::2", "app=client"),
          pod("b", "web", "10.0.0.11", "app=web"),
          pod("b", "client", "10.0.0.12", "app=client"),
          networkSet("b", "set", List.of("198.51.100.0/24"), "app=client"),
          globalNetworkSet("set", List.of("203.0.113.0/24"), "app=client"));

  private static World with(Resource... resources) {
    World world = PODS;
    for (Resource resource : resources) {
      world = world.with(resource);
    }
    return world;
  }

  private static Resource namespace(String name, String... labels) {
    return converted(
        new KubernetesNamespace(Metadata.named(name).withLabels(Things.labels(labels))));
  }

  private static Resource converted(ConvertedDocument document) {
    if (!KubernetesValidator.validate(document).isEmpty()) {
      throw new IllegalArgumentException(KubernetesValidator.validate(document).toString());
    }
    return KubernetesConversion.convert(document);
  }

  /// A ClusterNetworkPolicy for all pods of namespace `a`.
  private static Resource cluster(Tier tier, int priority, AdminRule... rules) {
    return cluster(tier, priority, new Subject(env("prod"), null), rules);
  }

  private static Resource cluster(Tier tier, int priority, Subject subject, AdminRule... rules) {
    return converted(
        new KubernetesClusterNetworkPolicy(
            Metadata.named("p" + priority), spec(tier, priority, subject, rules)));
  }

  private static AdminPolicySpec spec(
      @Nullable Tier tier, @Nullable Integer priority, Subject subject, AdminRule... rules) {
    return new AdminPolicySpec(
        tier,
        priority,
        subject,
        Arrays.stream(rules).filter(rule -> rule.from() != null).toList(),
        Arrays.stream(rules).filter(rule -> rule.to() != null).toList());
  }

  private static AdminRule in(String action, Peer peer, ProtocolMatch... protocols) {
    return new AdminRule(null, action, List.of(peer), null, orNull(protocols), null);
  }

  private static AdminRule out(String action, Peer peer, ProtocolMatch... protocols) {
    return new AdminRule(null, action, null, List.of(peer), orNull(protocols), null);
  }

  private static @Nullable List<ProtocolMatch> orNull(ProtocolMatch... protocols) {
    return protocols.length == 0 ? null : List.of(protocols);
  }

  private static ProtocolMatch tcp(int number) {
    return new ProtocolMatch(new Destination(new NumberOrRange(number, null)), null, null, null);
  }

  private static ProtocolMatch named(String name) {
    return new ProtocolMatch(null, null, null, name);
  }

  private static Peer everyone() {
    return namespaces(LabelSelector.EVERYTHING);
  }

  private static Peer namespaces(LabelSelector namespaces) {
    return new Peer(namespaces, null, null, null, null);
  }

  private static Peer pods(LabelSelector namespaces, LabelSelector pods) {
    return new Peer(null, new NamespacedPods(namespaces, pods), null, null, null);
  }

  private static Peer networks(String... networks) {
    return new Peer(null, null, List.of(networks), null, null);
  }

  private static LabelSelector env(String value) {
    return new LabelSelector(Map.of("env", value), List.of());
  }

  private static LabelSelector app(String value) {
    return new LabelSelector(Map.of("app", value), List.of());
  }

  /// A NetworkPolicy of namespace `a` for its `web`.
  private static Resource networkPolicy(
      List<PolicyType> types, KubernetesNetworkPolicy.IngressRule... ingress) {
    return converted(
        new KubernetesNetworkPolicy(
            Metadata.named("a", "np"),
            new KubernetesNetworkPolicy.Spec(app("web"), types, List.of(ingress), List.of())));
  }

  private static Resource denyIngressToWeb() {
    return networkPolicy(List.of(PolicyType.INGRESS));
  }

  private static Resource allowIngressToWeb() {
    return networkPolicy(
        List.of(PolicyType.INGRESS), new KubernetesNetworkPolicy.IngressRule(List.of(), List.of()));
  }

  static Stream<Case> cases() {
    return Stream.of(
        example(
            "no implicit isolation: what no rule matches falls through to allow",
            with(cluster(Tier.ADMIN, 1, in("Deny", namespaces(env("dev"))))),
            "10.0.0.12 > 10.0.0.1 tcp/80: deny",
            "10.0.0.2 > 10.0.0.1 tcp/80: allow",
            "192.0.2.1 > 10.0.0.1 tcp/80: allow",
            "10.0.0.1 > 10.0.0.12 tcp/80: allow"),
        example(
            "a policy without rules is for nothing",
            with(cluster(Tier.ADMIN, 1), cluster(Tier.BASELINE, 2)),
            "10.0.0.12 > 10.0.0.1 tcp/80: allow",
            "10.0.0.1 > 192.0.2.1 tcp/80: allow"),
        example(
            "Admin Accept beats a NetworkPolicy's deny",
            with(cluster(Tier.ADMIN, 1, in("Accept", namespaces(env("dev")))), denyIngressToWeb()),
            "10.0.0.12 > 10.0.0.1 tcp/80: allow",
            "10.0.0.2 > 10.0.0.1 tcp/80: deny"),
        example(
            "Admin Deny beats a NetworkPolicy's allow",
            with(cluster(Tier.ADMIN, 1, in("Deny", namespaces(env("dev")))), allowIngressToWeb()),
            "10.0.0.12 > 10.0.0.1 tcp/80: deny",
            "10.0.0.2 > 10.0.0.1 tcp/80: allow"),
        example(
            "Admin Pass leaves it to the NetworkPolicies, past the rest of the tier",
            with(
                cluster(
                    Tier.ADMIN, 1, in("Pass", namespaces(env("dev"))), in("Accept", everyone())),
                cluster(Tier.ADMIN, 2, in("Accept", everyone())),
                denyIngressToWeb()),
            "10.0.0.12 > 10.0.0.1 tcp/80: deny",
            "10.0.0.2 > 10.0.0.1 tcp/80: allow"),
        example(
            "Admin Pass without a NetworkPolicy leaves it to the Baseline, then to allow",
            with(
                cluster(Tier.ADMIN, 1, in("Pass", everyone()), in("Deny", everyone())),
                cluster(Tier.BASELINE, 1, in("Deny", namespaces(env("dev"))))),
            "10.0.0.12 > 10.0.0.1 tcp/80: deny",
            "10.0.0.2 > 10.0.0.1 tcp/80: allow"),
        example(
            "a NetworkPolicy is final for pods it selects: the Baseline is not asked",
            with(cluster(Tier.BASELINE, 1, in("Deny", everyone())), allowIngressToWeb()),
            "10.0.0.12 > 10.0.0.1 tcp/80: allow",
            "10.0.0.12 > 10.0.0.2 tcp/80: deny"),
        example(
            "and a Baseline's Accept does not open what a NetworkPolicy isolates",
            with(cluster(Tier.BASELINE, 1, in("Accept", everyone())), denyIngressToWeb()),
            "10.0.0.12 > 10.0.0.1 tcp/80: deny"),
        example(
            "the Baseline comes before the profile that allows",
            with(cluster(Tier.BASELINE, 1, in("Deny", everyone()), out("Deny", networks("::/0")))),
            "10.0.0.2 > 10.0.0.1 tcp/80: deny",
            "192.0.2.1 > 10.0.0.1 tcp/80: allow",
            "fd00::1 > 2001:db8::1 udp/53: deny",
            "10.0.0.1 > 192.0.2.1 udp/53: allow"),
        example(
            "Baseline Pass skips the rest of the Baseline",
            with(
                cluster(Tier.BASELINE, 1, in("Pass", namespaces(env("dev")))),
                cluster(Tier.BASELINE, 2, in("Deny", everyone()))),
            "10.0.0.12 > 10.0.0.1 tcp/80: allow",
            "10.0.0.2 > 10.0.0.1 tcp/80: deny"),
        example(
            "a lower priority number comes first",
            with(
                cluster(Tier.ADMIN, 20, in("Accept", everyone())),
                cluster(Tier.ADMIN, 3, in("Deny", namespaces(env("dev")))),
                denyIngressToWeb()),
            "10.0.0.12 > 10.0.0.1 tcp/80: deny",
            "10.0.0.2 > 10.0.0.1 tcp/80: allow"),
        example(
            "the first rule that matches decides",
            with(
                cluster(
                    Tier.ADMIN,
                    1,
                    in("Accept", pods(env("dev"), app("web"))),
                    in("Deny", namespaces(env("dev"))))),
            "10.0.0.11 > 10.0.0.1 tcp/80: allow",
            "10.0.0.12 > 10.0.0.1 tcp/80: deny"),
        example(
            "peers are pods: no network set, no host, no stranger",
            with(cluster(Tier.ADMIN, 1, in("Deny", everyone())), host("h", "192.0.2.9")),
            "10.0.0.12 > 10.0.0.1 tcp/80: deny",
            "198.51.100.1 > 10.0.0.1 tcp/80: allow",
            "203.0.113.1 > 10.0.0.1 tcp/80: allow",
            "192.0.2.9 > 10.0.0.1 tcp/80: allow"),
        example(
            "pods of every namespace by their labels are pods too, never network sets",
            with(cluster(Tier.ADMIN, 1, in("Deny", pods(LabelSelector.EVERYTHING, app("client"))))),
            "10.0.0.12 > 10.0.0.1 tcp/80: deny",
            "198.51.100.1 > 10.0.0.1 tcp/80: allow",
            "203.0.113.1 > 10.0.0.1 tcp/80: allow"),
        example(
            "a subject of pods: both selectors",
            with(
                cluster(
                    Tier.ADMIN,
                    1,
                    new Subject(null, new NamespacedPods(env("prod"), app("web"))),
                    in("Deny", everyone()))),
            "10.0.0.12 > 10.0.0.1 tcp/80: deny",
            "10.0.0.12 > 10.0.0.2 tcp/80: allow",
            "10.0.0.12 > 10.0.0.11 tcp/80: allow"),
        example(
            "an empty subject is every pod, and no host",
            with(
                cluster(
                    Tier.ADMIN,
                    1,
                    new Subject(LabelSelector.EVERYTHING, null),
                    out("Deny", networks("192.0.2.0/24")))),
            "10.0.0.1 > 192.0.2.1 tcp/80: deny",
            "10.0.0.12 > 192.0.2.1 tcp/80: deny",
            "10.0.0.12 > 198.51.100.1 tcp/80: allow"),
        example(
            "networks cover pods within them, of each family, and ICMP",
            with(cluster(Tier.ADMIN, 1, out("Deny", networks("10.0.0.8/29", "2001:db8::/32")))),
            "10.0.0.1 > 10.0.0.12 tcp/80: deny",
            "10.0.0.1 > 10.0.0.12 icmp/8: deny",
            "fd00::1 > 2001:db8::1 tcp/80: deny",
            "10.0.0.1 > 10.0.0.2 tcp/80: allow"),
        example(
            "protocols: one port of one protocol",
            with(cluster(Tier.ADMIN, 1, in("Deny", everyone(), tcp(80)))),
            "10.0.0.2 > 10.0.0.1 tcp/80: deny",
            "10.0.0.2 > 10.0.0.1 tcp/81: allow",
            "10.0.0.2 > 10.0.0.1 udp/80: allow",
            "10.0.0.2 > 10.0.0.1 icmp/8: allow"),
        example(
            "a named port is the pod's own, of every protocol it has it for",
            with(cluster(Tier.ADMIN, 1, in("Deny", everyone(), named("http")))),
            "10.0.0.2 > 10.0.0.1 tcp/8080: deny",
            "10.0.0.2 > 10.0.0.1 udp/8443: deny",
            "10.0.0.2 > 10.0.0.1 udp/8080: allow",
            "10.0.0.1 > 10.0.0.2 tcp/8080: allow"),
        example(
            "each side decides by itself",
            with(
                cluster(Tier.ADMIN, 1, out("Deny", namespaces(env("dev")))),
                cluster(Tier.ADMIN, 2, new Subject(env("dev"), null), in("Accept", everyone()))),
            "10.0.0.1 > 10.0.0.12 tcp/80: deny"),
        example(
            "AdminNetworkPolicy and ClusterNetworkPolicy share a tier, by priority",
            with(
                converted(
                    new KubernetesAdminNetworkPolicy(
                        Metadata.named("p5"),
                        spec(
                            null,
                            5,
                            new Subject(env("prod"), null),
                            in("Allow", namespaces(env("dev")))))),
                cluster(Tier.ADMIN, 6, in("Deny", everyone())),
                denyIngressToWeb()),
            "10.0.0.12 > 10.0.0.1 tcp/80: allow",
            "10.0.0.2 > 10.0.0.1 tcp/80: deny"),
        example(
            "the BaselineAdminNetworkPolicy comes last of all",
            with(
                converted(
                    new KubernetesBaselineAdminNetworkPolicy(
                        Metadata.named("default"),
                        spec(null, null, new Subject(env("prod"), null), in("Deny", everyone())))),
                cluster(Tier.BASELINE, 999, in("Accept", namespaces(env("dev"))))),
            "10.0.0.12 > 10.0.0.1 tcp/80: allow",
            "10.0.0.2 > 10.0.0.1 tcp/80: deny"),
        example(
            "a Calico policy in the default tier stands between the two",
            with(
                cluster(Tier.ADMIN, 1, in("Accept", namespaces(env("dev")))),
                cluster(Tier.BASELINE, 1, in("Accept", everyone())),
                globalPolicy("g", selecting("app == 'web'").withIngress(List.of(Things.deny())))),
            "10.0.0.12 > 10.0.0.1 tcp/80: allow",
            "10.0.0.2 > 10.0.0.1 tcp/80: deny",
            "10.0.0.2 > 10.0.0.11 tcp/80: deny"));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void packets_meet_the_fate_the_api_promises(Case example) {
    verify(example.world(), example.expected());
  }
}
