package io.margay.agent.calc;

import static io.margay.agent.calc.Documents.document;
import static io.margay.agent.calc.Documents.view;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.STRING;

import io.margay.ipam.Pool;
import io.margay.ipam.Pools;
import io.margay.model.net.Prefix;
import io.margay.model.resource.BGPPeer;
import io.margay.model.resource.Kind;
import io.margay.model.resource.Resource;
import io.margay.model.resource.ResourceRef;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class ClusterViewTest {

  private static final String POOLS =
      document("IPPool", "plain", "{cidr: 10.65.0.0/16}")
          + document("IPPool", "hidden", "{cidr: 10.66.0.0/16, disableBGPExport: true}")
          + document("IPPool", "nat", "{cidr: 10.67.0.0/16, natOutgoing: true}")
          + document("IPPool", "ipip", "{cidr: 10.68.0.0/16, ipipMode: Always}")
          + document("IPPool", "vxlan", "{cidr: 10.69.0.0/16, vxlanMode: CrossSubnet}")
          + document("IPPool", "six", "{cidr: 'fd00:65::/48', disabled: true}");

  private static String node(String name, String rack) {
    return """
    apiVersion: projectcalico.org/v3
    kind: Node
    metadata: {name: %s, labels: {rack: %s}}
    spec: {}
    ---
    """
        .formatted(name, rack);
  }

  private static Pool pool(Pools pools, String name) {
    return pools.pools().stream().filter(p -> p.name().equals(name)).findFirst().orElseThrow();
  }

  @Test
  void pools_that_wrap_packets_in_ip_are_never_allocated_from() {
    assertThat(view(POOLS).ipamPools().pools())
        .filteredOn(pool -> pool.notServed().isPresent())
        .extracting(Pool::name)
        .containsExactly("ipip");
    assertThat(pool(view(POOLS).ipamPools(), "ipip").notServed().orElseThrow())
        .contains("ipipMode Always");
  }

  @Test
  void what_controllers_are_asked_for_and_agents_do_not_do_is_told() {
    assertThat(controllers("{leakGracePeriod: 15m}")).isEmpty();
    assertThat(controllers("{leakGracePeriod: 0s}"))
        .singleElement(STRING)
        .startsWith(
            "KubeControllersConfiguration(default): spec.controllers.node.leakGracePeriod has no"
                + " effect here; ");
    assertThat(controllers("{leakGracePeriod: 1h, hostEndpoint: {autoCreate: Enabled}}"))
        .hasSize(2);
  }

  private static List<String> controllers(String node) {
    return view(document(
            "KubeControllersConfiguration", "default", "{controllers: {node: " + node + "}}"))
        .settingProblems();
  }

  /// Calico accepts it: `spec.cidr` is checked against the block size of enabled pools only.
  @Test
  void a_disabled_pool_smaller_than_a_block_harms_nothing() {
    Pools pools =
        view(POOLS + document("IPPool", "tiny", "{cidr: 10.70.0.0/30, disabled: true}"))
            .ipamPools();
    assertThat(pool(pools, "tiny").disabled()).isTrue();
    assertThat(pool(pools, "plain").notServed()).isEmpty();
  }

  @Test
  void a_pool_that_overlaps_one_that_was_first_gives_no_address() {
    ClusterView view =
        view(
            document("IPPool", "first", "{cidr: 10.65.4.0/24}")
                + document("IPPool", "second", "{cidr: 10.65.0.0/16}"));
    assertThat(pool(view.ipamPools(), "first").notServed()).isEmpty();
    assertThat(pool(view.ipamPools(), "second").notServed())
        .contains(
            "CIDROverlap: 10.65.0.0/16 overlaps 10.65.4.0/24 of IPPool first, which was first.");
    view.onUpdate(ResourceRef.global(Kind.IP_POOL, "first"), null);
    assertThat(pool(view.ipamPools(), "second").notServed()).isEmpty();
  }

  @Test
  void a_pool_serves_the_namespaces_its_selector_chooses() {
    Pools pools =
        view(document("Profile", "kns.red", "{labelsToApply: {pcns.team: a, other: b}}")
                + document("Profile", "kns.blue", "{labelsToApply: {pcns.team: b}}")
                + document("Profile", "ksa.red.x", "{labelsToApply: {pcns.team: a}}")
                + document(
                    "IPPool", "a", "{cidr: 10.65.0.0/16, namespaceSelector: \"team == 'a'\"}"))
            .ipamPools();
    Pool pool = pool(pools, "a");
    assertThat(
            Stream.of("red", "blue", "unknown")
                .filter(name -> pools.selectsNamespace().test(pool, name)))
        .containsExactly("red");
  }

  @Test
  void what_ipam_asks_of_a_pool_is_what_the_resource_says() {
    Pools pools =
        view(POOLS
                + document(
                    "IPPool",
                    "odd",
                    "{cidr: 10.70.0.0/24, blockSize: 28, assignmentMode: Manual, allowedUses:"
                        + " [Tunnel]}"))
            .ipamPools();
    assertThat(pool(pools, "plain")).isEqualTo(Pool.of("plain", Prefix.parse("10.65.0.0/16"), 26));
    assertThat(pool(pools, "six").disabled()).isTrue();
    assertThat(pool(pools, "six").blockSize()).isEqualTo(122);
    assertThat(pool(pools, "odd"))
        .isEqualTo(new Pool("odd", Prefix.parse("10.70.0.0/24"), 28, false, false, false, "all()"));
  }

  @Test
  void a_pool_serves_the_nodes_its_selector_chooses() {
    Pools pools =
        view(node("n1", "r1")
                + node("n2", "r2")
                + document("IPPool", "r1", "{cidr: 10.65.0.0/16, nodeSelector: \"rack == 'r1'\"}"))
            .ipamPools();
    Pool pool = pool(pools, "r1");
    assertThat(Stream.of("n1", "n2", "unknown").filter(n -> pools.selects().test(pool, n)))
        .containsExactly("n1");
  }

  @Test
  void reservations_are_all_cidrs_of_all_resources() {
    assertThat(
            view(document("IPReservation", "a", "{reservedCIDRs: [10.65.0.0/30, 10.65.1.0/30]}")
                    + document("IPReservation", "b", "{reservedCIDRs: ['fd00::/126']}"))
                .ipamPools()
                .reservations())
        .containsExactlyInAnyOrder(
            Prefix.parse("10.65.0.0/30"), Prefix.parse("10.65.1.0/30"), Prefix.parse("fd00::/126"));
  }

  @Test
  void nat_and_export_are_by_pool_and_every_pool_counts_as_inside() {
    ClusterView view = view(POOLS);
    assertThat(view.natOutgoingPools()).containsExactly(Prefix.parse("10.67.0.0/16"));
    assertThat(view.unannouncedPools()).containsExactly(Prefix.parse("10.66.0.0/16"));
    assertThat(view.allPools()).hasSize(6).isSorted();
    assertThat(view.poolCidrs())
        .containsEntry("plain", Prefix.parse("10.65.0.0/16"))
        .containsEntry("ipip", Prefix.parse("10.68.0.0/16"))
        .hasSize(6);
  }

  @Test
  void a_node_has_its_own_peers_those_that_select_it_and_everybodys() {
    String peers =
        document("BGPPeer", "everybodys", "{peerIP: 10.0.0.1, asNumber: 65001}")
            + document("BGPPeer", "of-n2", "{peerIP: 10.0.0.2, asNumber: 65001, node: n2}")
            + document(
                "BGPPeer",
                "of-r1",
                "{peerIP: 10.0.0.3, asNumber: 65001, nodeSelector: \"rack == 'r1'\"}");
    ClusterView view = view(node("n1", "r1") + node("n2", "r2") + peers);
    assertThat(names(view, "n1")).containsExactly("everybodys", "of-r1");
    assertThat(names(view, "n2")).containsExactly("everybodys", "of-n2");
    assertThat(names(view, "without-a-node-resource")).containsExactly("everybodys");
  }

  private static List<String> names(ClusterView view, String node) {
    return view.peersOf(node).stream().map((BGPPeer peer) -> peer.metadata().name()).toList();
  }

  @Test
  void only_the_configuration_named_default_is_the_clusters() {
    assertThat(
            view(document("BGPConfiguration", "node.n1", "{listenPort: 1790}")).bgpConfiguration())
        .isEmpty();
    assertThat(view(document("BGPConfiguration", "default", "{asNumber: 1}")).bgpConfiguration())
        .isPresent();
  }

  @Test
  void only_the_cluster_information_named_default_says_that_a_migration_is_on() {
    assertThat(view(POOLS).isDatastoreReady()).isTrue();
    assertThat(view(document("ClusterInformation", "default", "{}")).isDatastoreReady()).isTrue();
    ClusterView locked = view(document("ClusterInformation", "default", "{datastoreReady: false}"));
    assertThat(locked.isDatastoreReady()).isFalse();
  }

  @Test
  void what_is_gone_leaves_no_trace() {
    ClusterView view = view(POOLS + node("n1", "r1"));
    for (Resource resource : Documents.read(POOLS + node("n1", "r1"))) {
      assertThat(view.onUpdate(resource.ref(), null)).isTrue();
    }
    assertThat(view.allPools()).isEmpty();
    assertThat(view.ipamPools().pools()).isEmpty();
    assertThat(view.poolCidrs()).isEqualTo(Map.of());
    assertThat(view.node("n1")).isEmpty();
  }

  @Test
  void other_kinds_are_not_its_business() {
    Set<Kind> kept =
        Documents.read(
                POOLS + document("GlobalNetworkPolicy", "p", "{selector: all(), types: [Ingress]}"))
            .stream()
            .filter(resource -> new ClusterView().onUpdate(resource.ref(), resource))
            .map(Resource::kind)
            .collect(Collectors.toSet());
    assertThat(kept).containsExactly(Kind.IP_POOL);
  }
}
