package io.margay.policy;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.model.k8s.AdminPolicy;
import io.margay.model.k8s.AdminPolicySpec;
import io.margay.model.k8s.AdminRule;
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
import io.margay.model.k8s.PolicyPeer;
import io.margay.model.k8s.PolicyPort;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import io.margay.model.resource.Metadata;
import io.margay.model.resource.PolicyType;
import io.margay.model.resource.Port;
import io.margay.model.resource.Protocol;
import io.margay.model.resource.ResourceValidator;
import io.margay.model.resource.WorkloadEndpoint;
import io.margay.policy.oracle.Flow;
import io.margay.policy.oracle.PolicyOracle;
import io.margay.policy.testing.Gen;
import io.margay.policy.testing.KubernetesOracle;
import io.margay.policy.testing.Things;
import io.margay.policy.testing.World;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// Random documents of all kinds, random packets: Kubernetes' own texts and the converted resources
/// must come to the same verdict.
class KubernetesDifferentialTest {

  private static final List<String> NAMESPACES = List.of("a", "b", "c");
  private static final List<String> STRANGERS =
      List.of("192.0.2.1", "10.9.0.1", "2001:db8::1", "203.0.113.7");
  private static final int SEEDS = 250;
  private static final int PACKETS = 60;

  /// One cluster and its packets, drawn from a seed.
  private static final class Draw {

    private final Gen gen;
    private final Map<String, KubernetesNamespace> namespaces = new HashMap<>();
    private final List<WorkloadEndpoint> pods = new ArrayList<>();
    private final List<AdminPolicy> admin = new ArrayList<>();
    private final List<KubernetesNetworkPolicy> policies = new ArrayList<>();

    Draw(Gen gen) {
      this.gen = gen;
      for (String name : NAMESPACES) {
        namespaces.put(name, new KubernetesNamespace(Metadata.named(name).withLabels(labels())));
        for (int i = 1; i <= 2; i++) {
          pods.add(pod(name, i));
        }
      }
      // Equal priorities in a tier have no defined meaning, so there are none.
      for (int i = 0; i < gen.between(0, 4); i++) {
        admin.add(adminPolicy(i));
      }
      for (int i = 0; i < gen.between(0, 3); i++) {
        policies.add(networkPolicy(i));
      }
    }

    private Map<String, String> labels() {
      Map<String, String> labels = new TreeMap<>();
      if (gen.chance(60)) {
        labels.put("env", gen.oneOf("prod", "dev", ""));
      }
      if (gen.chance(60)) {
        labels.put("app", gen.oneOf("web", "db"));
      }
      return labels;
    }

    private WorkloadEndpoint pod(String namespace, int number) {
      int last = 10 * (NAMESPACES.indexOf(namespace) + 1) + number;
      List<String> labels =
          labels().entrySet().stream().map(pair -> pair.getKey() + "=" + pair.getValue()).toList();
      WorkloadEndpoint pod =
          Things.pod(
              namespace,
              "p" + number,
              "10.0.0." + last + ",fd00::" + last,
              labels.toArray(String[]::new));
      return gen.chance(70)
          ? Things.withPorts(
              pod,
              Things.port("http", Protocol.Named.TCP, gen.oneOf(80, 81)),
              Things.port(gen.oneOf("http", "dns"), Protocol.Named.UDP, gen.oneOf(80, 53)))
          : pod;
    }

    private LabelSelector selector() {
      Map<String, String> equal =
          gen.chance(40) ? Map.of(gen.oneOf("env", "app"), gen.oneOf("prod", "web", "")) : Map.of();
      return new LabelSelector(
          gen.chance(15) ? Map.of("kubernetes.io/metadata.name", gen.oneOf(NAMESPACES)) : equal,
          gen.listOf(0, 1, this::requirement));
    }

    private LabelSelector.Requirement requirement() {
      LabelSelector.Operator operator = gen.oneOf(LabelSelector.Operator.values());
      boolean values =
          operator == LabelSelector.Operator.IN || operator == LabelSelector.Operator.NOT_IN;
      return new LabelSelector.Requirement(
          gen.oneOf("env", "app"),
          operator,
          values ? gen.listOf(1, 2, () -> gen.oneOf("prod", "dev", "web", "db")) : List.of());
    }

    private AdminPolicy adminPolicy(int number) {
      int priority = 100 * number + gen.between(0, 99);
      Metadata metadata = Metadata.named("p" + gen.between(0, 9) + "-" + number);
      return switch (gen.between(0, 4)) {
        case 0 ->
            new KubernetesAdminNetworkPolicy(
                metadata, spec(null, priority, List.of("Allow", "Deny", "Pass"), false));
        case 1 ->
            admin.stream().anyMatch(KubernetesBaselineAdminNetworkPolicy.class::isInstance)
                ? cluster(metadata, priority)
                : new KubernetesBaselineAdminNetworkPolicy(
                    Metadata.named("default"), spec(null, null, List.of("Allow", "Deny"), false));
        default -> cluster(metadata, priority);
      };
    }

    private AdminPolicy cluster(Metadata metadata, int priority) {
      return new KubernetesClusterNetworkPolicy(
          metadata,
          spec(
              gen.oneOf(AdminPolicySpec.Tier.values()),
              priority,
              List.of("Accept", "Deny", "Pass"),
              true));
    }

    private AdminPolicySpec spec(
        AdminPolicySpec.@Nullable Tier tier,
        @Nullable Integer priority,
        List<String> actions,
        boolean cluster) {
      return new AdminPolicySpec(
          tier,
          priority,
          gen.chance(50)
              ? new AdminPolicySpec.Subject(selector(), null)
              : new AdminPolicySpec.Subject(null, somePods()),
          gen.listOf(0, 3, () -> rule(true, gen.oneOf(actions), cluster)),
          gen.listOf(0, 3, () -> rule(false, gen.oneOf(actions), cluster)));
    }

    private NamespacedPods somePods() {
      return new NamespacedPods(gen.maybe(70, this::selector), selector());
    }

    private AdminRule rule(boolean ingress, String action, boolean cluster) {
      List<AdminRule.Peer> peers = gen.listOf(1, 2, () -> peer(ingress));
      boolean networks = peers.stream().anyMatch(peer -> peer.networks() != null);
      return new AdminRule(
          gen.maybe(20, () -> "rule"),
          action,
          ingress ? peers : null,
          ingress ? null : peers,
          cluster ? gen.maybe(50, () -> gen.listOf(1, 3, () -> protocol(!networks))) : null,
          cluster ? null : gen.maybe(50, () -> gen.listOf(1, 3, () -> port(!networks))));
    }

    private AdminRule.Peer peer(boolean ingress) {
      if (!ingress && gen.chance(35)) {
        return new AdminRule.Peer(null, null, gen.listOf(1, 2, () -> gen.oneOf(NETS)), null, null);
      }
      return gen.chance(50)
          ? new AdminRule.Peer(selector(), null, null, null, null)
          : new AdminRule.Peer(null, somePods(), null, null, null);
    }

    private AdminRule.ProtocolMatch protocol(boolean mayBeNamed) {
      if (mayBeNamed && gen.chance(30)) {
        return new AdminRule.ProtocolMatch(null, null, null, gen.oneOf("http", "dns"));
      }
      AdminRule.Destination to =
          new AdminRule.Destination(
              gen.chance(50)
                  ? new AdminRule.NumberOrRange(gen.oneOf(53, 80, 81), null)
                  : new AdminRule.NumberOrRange(null, new AdminRule.Range(60, gen.oneOf(80, 90))));
      return switch (gen.between(0, 2)) {
        case 0 -> new AdminRule.ProtocolMatch(to, null, null, null);
        case 1 -> new AdminRule.ProtocolMatch(null, to, null, null);
        default -> new AdminRule.ProtocolMatch(null, null, to, null);
      };
    }

    private AdminRule.PortMatch port(boolean mayBeNamed) {
      Protocol protocol = gen.maybe(70, this::transport);
      return switch (gen.between(0, mayBeNamed ? 2 : 1)) {
        case 0 ->
            new AdminRule.PortMatch(
                new AdminRule.PortNumber(protocol, gen.oneOf(53, 80, 81)), null, null);
        case 1 -> new AdminRule.PortMatch(null, new AdminRule.PortRange(protocol, 60, 80), null);
        default -> new AdminRule.PortMatch(null, null, gen.oneOf("http", "dns"));
      };
    }

    private Protocol transport() {
      return gen.oneOf(Protocol.Named.TCP, Protocol.Named.UDP, Protocol.Named.SCTP);
    }

    private KubernetesNetworkPolicy networkPolicy(int number) {
      return new KubernetesNetworkPolicy(
          Metadata.named(gen.oneOf(NAMESPACES), "n" + number),
          new KubernetesNetworkPolicy.Spec(
              selector(),
              gen.someOf(PolicyType.INGRESS, PolicyType.EGRESS),
              gen.listOf(
                  0,
                  2,
                  () ->
                      new KubernetesNetworkPolicy.IngressRule(
                          gen.listOf(0, 2, this::policyPeer), gen.listOf(0, 2, this::policyPort))),
              gen.listOf(
                  0,
                  2,
                  () ->
                      new KubernetesNetworkPolicy.EgressRule(
                          gen.listOf(0, 2, this::policyPeer),
                          gen.listOf(0, 2, this::policyPort)))));
    }

    private PolicyPeer policyPeer() {
      return switch (gen.between(0, 3)) {
        case 0 -> new PolicyPeer(selector(), null, null);
        case 1 -> new PolicyPeer(null, selector(), null);
        case 2 -> new PolicyPeer(selector(), selector(), null);
        default ->
            new PolicyPeer(
                null,
                null,
                new PolicyPeer.IpBlock(
                    Prefix.parse("10.0.0.0/8"),
                    gen.listOf(0, 1, () -> Prefix.parse("10.0.0.16/28"))));
      };
    }

    private PolicyPort policyPort() {
      Protocol protocol = gen.maybe(70, this::transport);
      return switch (gen.between(0, 3)) {
        case 0 -> new PolicyPort(protocol, null, null);
        case 1 -> new PolicyPort(protocol, new Port.Named(gen.oneOf("http", "dns")), null);
        case 2 -> new PolicyPort(protocol, new Port.Single(60), gen.oneOf(79, 80));
        default -> new PolicyPort(protocol, new Port.Single(gen.oneOf(53, 80, 81)), null);
      };
    }

    private List<ConvertedDocument> documents() {
      List<ConvertedDocument> documents = new ArrayList<>(namespaces.values());
      documents.addAll(admin);
      documents.addAll(policies);
      return documents;
    }

    private World world() {
      World world = World.EMPTY;
      for (WorkloadEndpoint pod : pods) {
        world = world.with(pod);
      }
      for (ConvertedDocument document : documents()) {
        assertThat(KubernetesValidator.validate(document)).as("%s", document).isEmpty();
        var resource = KubernetesConversion.convert(document);
        assertThat(ResourceValidator.validate(resource)).as("%s", document).isEmpty();
        world = world.with(resource);
      }
      return world;
    }

    /// Between two pods, or a pod and a stranger, of one family; never a pod and itself.
    private Flow packet() {
      while (true) {
        IpAddress source = address();
        IpAddress destination = address();
        boolean concerns = !source.equals(destination) && source.family() == destination.family();
        if (concerns) {
          return switch (gen.between(0, 3)) {
            case 0 -> Flow.udp(source, destination, gen.oneOf(53, 80));
            case 1 -> Flow.ping(source, destination);
            case 2 ->
                new Flow(source, destination, 132, Flow.EPHEMERAL_PORT, gen.oneOf(53, 80), null);
            default -> Flow.tcp(source, destination, gen.oneOf(53, 79, 80, 81));
          };
        }
      }
    }

    private IpAddress address() {
      return gen.chance(25)
          ? IpAddress.parse(gen.oneOf(STRANGERS))
          : gen.oneOf(gen.oneOf(pods).spec().ipNetworks()).address();
    }
  }

  private static final List<String> NETS =
      List.of("0.0.0.0/0", "10.0.0.0/28", "192.0.2.0/24", "::/0", "fd00::/64", "10.0.0.22/32");

  @Test
  void kubernetes_and_the_converted_resources_come_to_the_same_verdict() {
    int[] verdicts = new int[2];
    Gen.forSeeds(
        SEEDS,
        gen -> {
          Draw draw = new Draw(gen);
          KubernetesOracle kubernetes =
              new KubernetesOracle(draw.namespaces, draw.pods, draw.admin, draw.policies);
          PolicyOracle converted = new PolicyOracle(draw.world().all());
          for (int i = 0; i < PACKETS; i++) {
            Flow packet = draw.packet();
            boolean allowed = kubernetes.allows(packet);
            assertThat(converted.decide(packet).allowed())
                .as("%s: %s of %s", packet, converted.decide(packet), draw.documents())
                .isEqualTo(allowed);
            verdicts[allowed ? 1 : 0]++;
          }
        });
    if (Long.getLong("seed") == null) {
      assertThat(verdicts[0]).as("both verdicts are common").isGreaterThan(SEEDS * PACKETS / 10);
      assertThat(verdicts[1]).isGreaterThan(SEEDS * PACKETS / 10);
    }
  }
}
