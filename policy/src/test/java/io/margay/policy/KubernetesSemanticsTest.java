package io.margay.policy;

import static io.margay.policy.Semantics.example;
import static io.margay.policy.Semantics.verify;
import static io.margay.policy.testing.Things.account;
import static io.margay.policy.testing.Things.globalNetworkSet;
import static io.margay.policy.testing.Things.globalPolicy;
import static io.margay.policy.testing.Things.nets;
import static io.margay.policy.testing.Things.pod;
import static io.margay.policy.testing.Things.port;
import static io.margay.policy.testing.Things.selecting;
import static io.margay.policy.testing.Things.withPorts;

import io.margay.model.k8s.KubernetesConversion;
import io.margay.model.k8s.KubernetesNamespace;
import io.margay.model.k8s.KubernetesNetworkPolicy;
import io.margay.model.k8s.LabelSelector;
import io.margay.model.k8s.PolicyPeer;
import io.margay.model.k8s.PolicyPort;
import io.margay.model.net.Prefix;
import io.margay.model.resource.Metadata;
import io.margay.model.resource.PolicyType;
import io.margay.model.resource.Port;
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

/// The semantics of networking.k8s.io/v1 NetworkPolicy, through its conversion, as literal verdict
/// tables.
class KubernetesSemanticsTest {

  /// Namespace `a` (env=prod): `web` .1, `client` .2, `plain` .3 (no labels). Namespace `b`
  /// (env=dev): `client` .12. A GlobalNetworkSet labelled as the clients are.
  private static final World PODS =
      World.of(
          namespace("a", "env=prod"),
          namespace("b", "env=dev"),
          namespace("c"),
          withPorts(
              pod("a", "web", "10.0.0.1,fd00::1", "app=web"),
              port("http", Protocol.Named.TCP, 8080),
              port("dns", Protocol.Named.UDP, 53)),
          pod("a", "client", "10.0.0.2,fd00::2", "app=client"),
          pod("a", "plain", "10.0.0.3,fd00::3"),
          withPorts(
              pod("b", "client", "10.0.0.12", "app=client"),
              port("http", Protocol.Named.TCP, 9090)),
          pod("c", "client", "10.0.0.22", "app=client"),
          globalNetworkSet("clients", List.of("203.0.113.0/24"), "app=client"));

  private static World with(Resource... resources) {
    World world = PODS;
    for (Resource resource : resources) {
      world = world.with(resource);
    }
    return world;
  }

  private static Resource namespace(String name, String... labels) {
    return KubernetesConversion.convert(
        new KubernetesNamespace(Metadata.named(name).withLabels(Things.labels(labels))));
  }

  private static Resource policy(
      String name, LabelSelector pods, List<PolicyType> types, RuleOf... rules) {
    return KubernetesConversion.convert(
        new KubernetesNetworkPolicy(
            Metadata.named("a", name),
            new KubernetesNetworkPolicy.Spec(
                pods,
                types,
                Arrays.stream(rules)
                    .filter(rule -> rule.direction == PolicyType.INGRESS)
                    .map(rule -> new KubernetesNetworkPolicy.IngressRule(rule.peers, rule.ports))
                    .toList(),
                Arrays.stream(rules)
                    .filter(rule -> rule.direction == PolicyType.EGRESS)
                    .map(rule -> new KubernetesNetworkPolicy.EgressRule(rule.peers, rule.ports))
                    .toList())));
  }

  private record RuleOf(PolicyType direction, List<PolicyPeer> peers, List<PolicyPort> ports) {}

  /// Ingress rules of the policy `p` for `a`'s `web`.
  private static Resource webFrom(List<PolicyPeer> peers, PolicyPort... ports) {
    return policy("p", app("web"), List.of(), in(peers, ports));
  }

  private static RuleOf in(List<PolicyPeer> peers, PolicyPort... ports) {
    return new RuleOf(PolicyType.INGRESS, peers, List.of(ports));
  }

  private static RuleOf out(List<PolicyPeer> peers, PolicyPort... ports) {
    return new RuleOf(PolicyType.EGRESS, peers, List.of(ports));
  }

  private static LabelSelector app(String value) {
    return new LabelSelector(Map.of("app", value), List.of());
  }

  private static LabelSelector expression(
      String key, LabelSelector.Operator operator, String... values) {
    return new LabelSelector(
        Map.of(), List.of(new LabelSelector.Requirement(key, operator, List.of(values))));
  }

  private static List<PolicyPeer> pods(LabelSelector pods) {
    return List.of(new PolicyPeer(pods, null, null));
  }

  private static List<PolicyPeer> namespaces(LabelSelector namespaces) {
    return List.of(new PolicyPeer(null, namespaces, null));
  }

  private static List<PolicyPeer> block(String cidr, String... except) {
    return List.of(
        new PolicyPeer(
            null,
            null,
            new PolicyPeer.IpBlock(
                Prefix.parse(cidr), Arrays.stream(except).map(Prefix::parse).toList())));
  }

  private static PolicyPort at(@Nullable Protocol protocol, @Nullable String port) {
    return new PolicyPort(protocol, port == null ? null : Port.parse(port), null);
  }

  private static final List<PolicyPeer> EVERYONE = List.of();

  static Stream<Case> cases() {
    return Stream.of(
        example(
            "default deny isolates the namespace's pods in ingress, and nothing else",
            with(policy("p", LabelSelector.EVERYTHING, List.of())),
            "10.0.0.2 > 10.0.0.1 tcp/80: deny",
            "192.0.2.1 > 10.0.0.3 udp/53: deny",
            "10.0.0.1 > 10.0.0.12 tcp/80: allow",
            "10.0.0.12 > 10.0.0.22 tcp/80: allow"),
        example(
            "a listed type without rules isolates",
            with(policy("p", app("web"), List.of(PolicyType.EGRESS))),
            "10.0.0.1 > 192.0.2.1 tcp/80: deny",
            "10.0.0.2 > 10.0.0.1 tcp/80: allow"),
        example(
            "without types it is Ingress, and Egress if there are egress rules",
            with(policy("p", app("web"), List.of(), out(block("192.0.2.0/24")))),
            "10.0.0.1 > 192.0.2.1 tcp/80: allow",
            "10.0.0.1 > 198.51.100.1 tcp/80: deny",
            "10.0.0.2 > 10.0.0.1 tcp/80: deny"),
        example(
            "a rule without peers and ports allows everything, ICMP too",
            with(webFrom(EVERYONE)),
            "192.0.2.1 > 10.0.0.1 icmp/8: allow",
            "2001:db8::1 > fd00::1 sctp/1: allow"),
        example(
            "policies only add",
            with(
                policy("p1", app("web"), List.of(), in(pods(app("client")))),
                policy("p2", app("web"), List.of(), in(block("192.0.2.0/24"))),
                policy("p3", LabelSelector.EVERYTHING, List.of())),
            "10.0.0.2 > 10.0.0.1 tcp/80: allow",
            "192.0.2.1 > 10.0.0.1 tcp/80: allow",
            "10.0.0.3 > 10.0.0.1 tcp/80: deny"),
        example(
            "podSelector alone means pods of the policy's namespace, and never network sets",
            with(webFrom(pods(app("client")))),
            "10.0.0.2 > 10.0.0.1 tcp/80: allow",
            "10.0.0.12 > 10.0.0.1 tcp/80: deny",
            "203.0.113.1 > 10.0.0.1 tcp/80: deny"),
        example(
            "namespaceSelector alone means all pods of those namespaces",
            with(webFrom(namespaces(new LabelSelector(Map.of("env", "dev"), List.of())))),
            "10.0.0.12 > 10.0.0.1 tcp/80: allow",
            "10.0.0.2 > 10.0.0.1 tcp/80: deny",
            "10.0.0.22 > 10.0.0.1 tcp/80: deny"),
        example(
            "an empty namespaceSelector means every pod, and no stranger",
            with(webFrom(namespaces(LabelSelector.EVERYTHING))),
            "10.0.0.12 > 10.0.0.1 tcp/80: allow",
            "10.0.0.3 > 10.0.0.1 tcp/80: allow",
            "203.0.113.1 > 10.0.0.1 tcp/80: deny",
            "192.0.2.1 > 10.0.0.1 tcp/80: deny"),
        example(
            "both selectors in one entry are ANDed, two entries ORed",
            with(
                webFrom(
                    List.of(
                        new PolicyPeer(
                            app("client"),
                            new LabelSelector(Map.of("env", "dev"), List.of()),
                            null),
                        new PolicyPeer(
                            expression("app", LabelSelector.Operator.DOES_NOT_EXIST),
                            null,
                            null)))),
            "10.0.0.12 > 10.0.0.1 tcp/80: allow",
            "10.0.0.3 > 10.0.0.1 tcp/80: allow",
            "10.0.0.2 > 10.0.0.1 tcp/80: deny",
            "10.0.0.22 > 10.0.0.1 tcp/80: deny"),
        example(
            "In needs the label, NotIn matches without it",
            with(
                webFrom(pods(expression("app", LabelSelector.Operator.NOT_IN, "client", "x"))),
                policy("q", expression("app", LabelSelector.Operator.IN, "client"), List.of())),
            "10.0.0.3 > 10.0.0.1 tcp/80: allow",
            "10.0.0.2 > 10.0.0.1 tcp/80: deny",
            "10.0.0.1 > 10.0.0.2 tcp/80: deny",
            "10.0.0.1 > 10.0.0.3 tcp/80: allow"),
        example(
            "Exists",
            with(webFrom(pods(expression("app", LabelSelector.Operator.EXISTS)))),
            "10.0.0.2 > 10.0.0.1 tcp/80: allow",
            "10.0.0.3 > 10.0.0.1 tcp/80: deny"),
        example(
            "ipBlock with an exception, which another rule may allow",
            with(
                policy(
                    "p",
                    app("web"),
                    List.of(),
                    in(block("192.0.2.0/24", "192.0.2.128/25")),
                    in(block("192.0.2.200/32")))),
            "192.0.2.1 > 10.0.0.1 tcp/80: allow",
            "192.0.2.129 > 10.0.0.1 tcp/80: deny",
            "192.0.2.200 > 10.0.0.1 tcp/80: allow",
            "2001:db8::1 > fd00::1 tcp/80: deny"),
        example(
            "ipBlock matches pods too",
            with(webFrom(block("10.0.0.0/24"))),
            "10.0.0.12 > 10.0.0.1 tcp/80: allow"),
        example(
            "the protocol of a port is TCP unless given",
            with(webFrom(EVERYONE, at(null, "80"), at(Protocol.Named.UDP, "53"))),
            "10.0.0.2 > 10.0.0.1 tcp/80: allow",
            "10.0.0.2 > 10.0.0.1 udp/80: deny",
            "10.0.0.2 > 10.0.0.1 udp/53: allow",
            "10.0.0.2 > 10.0.0.1 icmp/8: deny"),
        example(
            "a protocol without port is all its ports",
            with(webFrom(EVERYONE, at(Protocol.Named.UDP, null))),
            "10.0.0.2 > 10.0.0.1 udp/1: allow",
            "10.0.0.2 > 10.0.0.1 tcp/1: deny"),
        example(
            "endPort",
            with(
                webFrom(EVERYONE, new PolicyPort(Protocol.Named.TCP, new Port.Single(8000), 8010))),
            "10.0.0.2 > 10.0.0.1 tcp/7999: deny",
            "10.0.0.2 > 10.0.0.1 tcp/8000: allow",
            "10.0.0.2 > 10.0.0.1 tcp/8010: allow",
            "10.0.0.2 > 10.0.0.1 tcp/8011: deny"),
        example(
            "SCTP alone still isolates for TCP",
            with(webFrom(EVERYONE, at(Protocol.Named.SCTP, "80"))),
            "10.0.0.2 > 10.0.0.1 sctp/80: allow",
            "10.0.0.2 > 10.0.0.1 tcp/80: deny"),
        example(
            "a named port in ingress is the selected pod's",
            with(webFrom(EVERYONE, at(null, "http"))),
            "10.0.0.2 > 10.0.0.1 tcp/8080: allow",
            "10.0.0.2 > 10.0.0.1 tcp/9090: deny"),
        example(
            "a named port in egress is each peer pod's, and no stranger's",
            with(
                policy(
                    "p",
                    app("client"),
                    List.of(),
                    out(namespaces(LabelSelector.EVERYTHING), at(null, "http"))),
                policy("q", app("client"), List.of(PolicyType.INGRESS), in(EVERYONE))),
            "10.0.0.2 > 10.0.0.1 tcp/8080: allow",
            "10.0.0.2 > 10.0.0.12 tcp/9090: allow",
            "10.0.0.2 > 10.0.0.12 tcp/8080: deny",
            "10.0.0.2 > 192.0.2.1 tcp/8080: deny"),
        example(
            "a Calico policy of lower order in the same tier comes first",
            with(
                webFrom(EVERYONE),
                globalPolicy(
                    "before",
                    selecting("app == 'web'")
                        .withOrder(999.0)
                        .withIngress(List.of(Things.deny().withSource(nets("10.0.0.2/32"))))),
                globalPolicy(
                    "after",
                    selecting("app == 'web'")
                        .withOrder(1001.0)
                        .withIngress(List.of(Things.deny())))),
            "10.0.0.2 > 10.0.0.1 tcp/80: deny",
            "10.0.0.3 > 10.0.0.1 tcp/80: allow"),
        example(
            "an endpoint of another orchestrator is no pod",
            with(
                webFrom(pods(LabelSelector.EVERYTHING)),
                policy("all", LabelSelector.EVERYTHING, List.of()),
                Things.orchestratedBy(pod("a", "vm", "10.0.0.9"), "cni"),
                account("a", "x")),
            "10.0.0.2 > 10.0.0.1 tcp/80: allow",
            "10.0.0.9 > 10.0.0.1 tcp/80: deny",
            "192.0.2.1 > 10.0.0.9 tcp/80: allow"));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void packets_meet_the_fate_kubernetes_promises(Case example) {
    verify(example.world(), example.expected());
  }
}
