package io.margay.model.resource;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.model.net.Asn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import io.margay.model.selector.Selector;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class ResourceValidatorTest {

  private static final Prefix V4 = Prefix.parse("10.0.0.0/8");
  private static final Prefix V6 = Prefix.parse("2001:db8::/32");
  private static final Rule ALLOW = Rule.of(Action.ALLOW);

  private static NetworkPolicy policy(Rule... ingress) {
    return new NetworkPolicy(
        Metadata.named("ns", "p"), PolicySpec.EMPTY.withIngress(List.of(ingress)));
  }

  private static GlobalNetworkPolicy host(
      boolean doNotTrack, boolean preDnat, boolean forward, PolicyType type) {
    return new GlobalNetworkPolicy(
        Metadata.named("g"),
        new PolicySpec(
            null,
            null,
            null,
            null,
            null,
            List.of(type),
            List.of(),
            List.of(),
            doNotTrack,
            preDnat,
            forward,
            List.of(),
            Map.of()));
  }

  private static Rule icmp(Protocol protocol, @Nullable Integer type, @Nullable Integer code) {
    return new Rule(
        Action.ALLOW,
        null,
        protocol,
        null,
        new IcmpFields(type, code, Map.of()),
        null,
        EntityRule.EMPTY,
        EntityRule.EMPTY,
        null,
        null,
        Map.of());
  }

  private static Rule version(int version, Rule rule) {
    return new Rule(
        rule.action(),
        version,
        rule.protocol(),
        null,
        null,
        null,
        rule.source(),
        rule.destination(),
        null,
        null,
        Map.of());
  }

  private static IPPool pool(String cidr, @Nullable Integer blockSize) {
    IPPoolSpec spec = IPPoolSpec.of(Prefix.parse(cidr));
    return new IPPool(
        Metadata.named("pool"),
        new IPPoolSpec(
            spec.cidr(),
            null,
            null,
            null,
            null,
            null,
            blockSize,
            null,
            null,
            List.of(),
            null,
            Map.of()));
  }

  private static IPPool encapsulated(
      String cidr, @Nullable EncapsulationMode ipip, @Nullable EncapsulationMode vxlan) {
    return new IPPool(
        Metadata.named("pool"),
        new IPPoolSpec(
            Prefix.parse(cidr),
            ipip,
            vxlan,
            null,
            null,
            null,
            null,
            null,
            null,
            List.of(PoolUse.WORKLOAD, PoolUse.LOAD_BALANCER),
            null,
            Map.of()));
  }

  private static BGPPeer peer(
      @Nullable String node,
      @Nullable Selector nodes,
      @Nullable PeerAddress ip,
      @Nullable Asn asn,
      @Nullable Selector peers,
      Integer ttl) {
    return new BGPPeer(
        Metadata.named("peer"),
        new BGPPeerSpec(
            node,
            nodes,
            ip,
            asn,
            peers,
            null,
            null,
            null,
            null,
            "Nowhere",
            Duration.ZERO,
            null,
            null,
            ttl,
            IpAddress.parse("2001:db8::1"),
            List.of(),
            null,
            null,
            Map.of()));
  }

  private static WorkloadEndpoint workload(String name, String pod) {
    WorkloadEndpointSpec e = WorkloadEndpointSpec.EMPTY;
    EndpointPort http = new EndpointPort("http", Protocol.Named.TCP, 80, null, null, Map.of());
    return new WorkloadEndpoint(
        Metadata.named("ns", name),
        new WorkloadEndpointSpec(
            "k8s",
            null,
            "n-1",
            null,
            pod,
            "eth0",
            null,
            List.of(V4),
            e.ipNATs(),
            IpAddress.parse("fe80::1"),
            null,
            List.of(),
            null,
            null,
            List.of(http, http),
            List.of(),
            Map.of(),
            Map.of()));
  }

  private static IPAMConfiguration ipam(
      String name,
      @Nullable Boolean strict,
      @Nullable Boolean auto,
      @Nullable Integer blocks,
      @Nullable Integer cooldown) {
    return new IPAMConfiguration(
        Metadata.named(name),
        new IPAMConfigurationSpec(strict, auto, blocks, null, cooldown, Map.of()));
  }

  private static NodeBgp bgp(String v4, String v6, @Nullable String cluster) {
    return new NodeBgp(
        null, AddressOnLink.parse(v4), AddressOnLink.parse(v6), null, cluster, Map.of());
  }

  static Stream<Arguments> broken() {
    EntityRule services = EntityRule.EMPTY.withServices(new ServiceMatch("dns", null, Map.of()));
    return Stream.of(
        at("metadata.name", new Tier(Metadata.named("Upper"), TierSpec.EMPTY)),
        at("metadata.name", new Node(Metadata.named("a..b"), NodeSpec.EMPTY)),
        at("metadata.namespace", new NetworkSet(Metadata.named("s"), NetworkSetSpec.EMPTY)),
        at("metadata.namespace", new Node(Metadata.named("ns", "n"), NodeSpec.EMPTY)),
        at(
            "metadata.namespace",
            new NetworkSet(Metadata.named("no.dots", "s"), NetworkSetSpec.EMPTY)),
        at(
            "metadata.labels",
            new Node(Metadata.named("n").withLabels(Map.of("a b", "x")), NodeSpec.EMPTY)),
        at(
            "metadata.labels.a",
            new Node(Metadata.named("n").withLabels(Map.of("a", "x y")), NodeSpec.EMPTY)),
        at("spec.selector", policyWith(PolicySpec.EMPTY.withSelector(Selector.parse("global()")))),
        at("spec.order", policyWith(PolicySpec.EMPTY.withOrder(Double.NaN))),
        at("spec.tier", policyWith(PolicySpec.EMPTY.withTier("a/b"))),
        at(
            "spec.types",
            policyWith(
                PolicySpec.EMPTY.withTypes(List.of(PolicyType.INGRESS, PolicyType.INGRESS)))),
        at(
            "spec.namespaceSelector",
            policyWith(PolicySpec.EMPTY.withNamespaceSelector(Selector.ALL))),
        at("spec.ingress", policyWith(PolicySpec.EMPTY.withIngress(repeat(ALLOW, 1025)))),
        at("spec.ingress[1].ipVersion", policy(ALLOW, version(5, ALLOW))),
        at("spec.ingress[0].icmp", policy(icmp(Protocol.Named.TCP, 8, null))),
        at("spec.ingress[0].icmp.type", policy(icmp(Protocol.Named.ICMP, 255, null))),
        at("spec.ingress[0].icmp.code", policy(icmp(Protocol.Named.ICMP, null, 0))),
        at(
            "spec.ingress[0].protocol",
            policy(version(4, ALLOW.withProtocol(Protocol.Named.ICMPV6)))),
        at(
            "spec.ingress[0].destination.ports",
            policy(
                ALLOW.withDestination(EntityRule.EMPTY.withPorts(List.of(new Port.Single(80)))))),
        at(
            "spec.ingress[0].source.ports",
            policy(
                ALLOW
                    .withProtocol(Protocol.Named.TCP)
                    .withSource(
                        EntityRule.EMPTY.withPorts(repeat((Port) new Port.Single(80), 51))))),
        at(
            "spec.ingress[0].source.nets",
            policy(ALLOW.withSource(EntityRule.EMPTY.withNets(List.of(V4, V6))))),
        at(
            "spec.ingress[0].source.notNets",
            policy(version(6, ALLOW.withSource(EntityRule.EMPTY.withNotNets(List.of(V4)))))),
        at(
            "spec.ingress[0].source.nets",
            policy(ALLOW.withSource(EntityRule.EMPTY.withNets(repeat(V4, 257))))),
        at(
            "spec.ingress[0].source.namespaceSelector",
            policy(
                ALLOW.withSource(
                    EntityRule.EMPTY.withNamespaceSelector(Selector.parse("global() || has(x)"))))),
        at(
            "spec.ingress[0].source.services",
            policy(ALLOW.withSource(services.withNets(List.of(V4))))),
        at("spec.ingress[0].destination.services", policy(ALLOW.withDestination(services))),
        at("spec.applyOnForward", host(true, false, false, PolicyType.INGRESS)),
        at("spec.preDNAT", host(true, true, true, PolicyType.INGRESS)),
        at("spec.types", host(false, true, true, PolicyType.EGRESS)),
        at(
            "spec.order",
            new Tier(Metadata.named("default"), new TierSpec(5d, TierAction.DENY, Map.of()))),
        at("spec.blockSize", pool("10.0.0.0/16", 19)),
        at("spec.blockSize", pool("10.0.0.0/16", 33)),
        at("spec.blockSize", pool("2001:db8::/64", 26)),
        at("spec.cidr", pool("10.0.0.0/28", null)),
        at("spec.cidr", pool("169.254.7.0/24", null)),
        at(
            "spec.vxlanMode",
            encapsulated("10.0.0.0/16", EncapsulationMode.ALWAYS, EncapsulationMode.ALWAYS)),
        at("spec.ipipMode", encapsulated("2001:db8::/64", EncapsulationMode.ALWAYS, null)),
        at("spec.allowedUses", encapsulated("10.0.0.0/16", null, null)),
        at("metadata.name", ipam("other", null, null, null, null)),
        at("spec.autoAllocateBlocks", ipam("default", false, false, null, null)),
        at("spec.maxBlocksPerHost", ipam("default", null, null, 3, null)),
        at("spec.ipCooldownSeconds", ipam("default", null, null, null, 1201)),
        at(
            "metadata.name",
            new FelixConfiguration(Metadata.named("x"), FelixConfigurationSpec.EMPTY)),
        at(
            "metadata.name",
            new ClusterInformation(Metadata.named("x"), ClusterInformationSpec.EMPTY)),
        at("spec.nodeSelector", peer("n", Selector.ALL, null, null, Selector.ALL, 1)),
        at("spec.peerIP", peer(null, null, null, null, null, 1)),
        at("spec.asNumber", peer(null, null, PeerAddress.parse("192.0.2.1"), null, null, 1)),
        at(
            "spec.reachableBy",
            peer(null, null, PeerAddress.parse("192.0.2.1"), new Asn(1), null, 1)),
        at("spec.ttlSecurity", peer(null, null, null, null, Selector.ALL, 256)),
        at("spec.sourceAddress", peer(null, null, null, null, Selector.ALL, 1)),
        at("spec.maxRestartTime", peer(null, null, null, null, Selector.ALL, 1)),
        at("spec.bgp.ipv4Address", node(bgp("2001:db8::1/64", "2001:db8::1/64", null))),
        at("spec.bgp.ipv6Address", node(bgp("192.0.2.1/24", "::1/128", null))),
        at("spec.bgp.routeReflectorClusterID", node(bgp("192.0.2.1/24", "2001:db8::1/64", "x"))),
        at("spec.node", new HostEndpoint(Metadata.named("h"), HostEndpointSpec.EMPTY)),
        at("spec.interfaceName", new HostEndpoint(Metadata.named("h"), HostEndpointSpec.EMPTY)),
        at("metadata.name", workload("n--1-k8s-pod-eth0", "other")),
        at("spec.ipNetworks[0]", workload("n--1-k8s-pod-eth0", "pod")),
        at("spec.ipv4Gateway", workload("n--1-k8s-pod-eth0", "pod")),
        at("spec.ports[1].name", workload("n--1-k8s-pod-eth0", "pod")));
  }

  private static Node node(NodeBgp bgp) {
    return new Node(
        Metadata.named("n"),
        new NodeSpec(bgp, null, null, null, null, null, List.of(), List.of(), List.of(), Map.of()));
  }

  private static NetworkPolicy policyWith(PolicySpec spec) {
    return new NetworkPolicy(Metadata.named("ns", "p"), spec);
  }

  private static <T> List<T> repeat(T item, int times) {
    return Stream.generate(() -> item).limit(times).toList();
  }

  private static Arguments at(String path, Resource resource) {
    return Arguments.of(path, resource);
  }

  @ParameterizedTest(name = "{index} {0}")
  @MethodSource("broken")
  void a_broken_rule_is_reported_at_its_field(String path, Resource resource) {
    assertThat(ResourceValidator.validate(resource)).extracting(FieldError::path).contains(path);
  }

  @Test
  void all_errors_are_reported_not_only_the_first() {
    assertThat(ResourceValidator.validate(workload("wrong", "pod"))).hasSizeGreaterThan(3);
  }

  @Test
  void sound_resources_pass() {
    EntityRule globals =
        EntityRule.EMPTY
            .withNets(List.of(V4))
            .withNamespaceSelector(Selector.parse("global()"))
            .withPorts(List.of(new Port.Range(1, 2), new Port.Named("http")));
    assertThat(
            Stream.of(
                    policy(ALLOW, ALLOW.withProtocol(Protocol.Named.TCP).withSource(globals)),
                    policy(icmp(Protocol.Named.ICMP, 8, 0)),
                    host(true, false, true, PolicyType.EGRESS),
                    pool("10.0.0.0/26", null),
                    pool("2001:db8::/122", null),
                    pool("2001:db8::/116", 116),
                    ipam("default", true, false, 3, 1200),
                    node(bgp("192.0.2.1/24", "2001:db8::1/64", "10.0.0.1")),
                    new Tier(
                        Metadata.named("default"),
                        new TierSpec(1_000_000d, TierAction.DENY, Map.of())))
                .map(ResourceValidator::validate))
        .allMatch(List::isEmpty);
  }
}
