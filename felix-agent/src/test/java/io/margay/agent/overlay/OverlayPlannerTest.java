package io.margay.agent.overlay;

import static io.margay.agent.calc.Documents.document;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.agent.calc.ClusterView;
import io.margay.agent.calc.Documents;
import io.margay.agent.calc.TunnelKnobs;
import io.margay.agent.overlay.OverlayPlan.Peer;
import io.margay.agent.overlay.OverlayPlan.Tunnel;
import io.margay.agent.overlay.OverlayPlan.Way;
import io.margay.agent.overlay.OverlayPlan.Wrapping;
import io.margay.datastore.Change;
import io.margay.datastore.KeyValue;
import io.margay.ipam.BlockOwners;
import io.margay.ipam.IpamKeys;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.MacAddress;
import io.margay.model.net.Prefix;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OverlayPlannerTest {

  /// node2 is on node1's subnet, node3 is not; node4 has no address for its tunnel yet.
  private static final String NODES =
      node("node1", "192.0.2.1/24", "10.65.0.1", "2001:db8:1::1/64", "fd00:65::1")
          + node("node2", "192.0.2.2/24", "10.65.2.1", "2001:db8:1::2/64", "fd00:65:2::1")
          + node("node3", "198.51.100.3/24", "10.65.3.1", "2001:db8:3::3/64", "fd00:65:3::1")
          + document("Node", "node4", "{bgp: {ipv4Address: 203.0.113.4/24}}");

  private static final String ALWAYS =
      document("IPPool", "four", "{cidr: 10.65.0.0/16, vxlanMode: Always}")
          + document("IPPool", "six", "{cidr: 'fd00:65::/32', vxlanMode: Always}");
  private static final String CROSS_SUBNET = ALWAYS.replace("Always", "CrossSubnet");

  private static final Map<String, String> BLOCKS =
      Map.of(
          "10.65.0.0/30", "node1",
          "10.65.2.0/30", "node2",
          "10.65.3.0/30", "node3",
          "10.66.0.0/30", "node2",
          "fd00:65::/126", "node1",
          "fd00:65:2::/126", "node2",
          "fd00:65:3::/126", "node3");

  private static String node(String name, String v4, String tunnel4, String v6, String tunnel6) {
    return document(
        "Node",
        name,
        "{bgp: {ipv4Address: %s, ipv6Address: '%s'}, ipv4VXLANTunnelAddr: %s, ipv6VXLANTunnelAddr: '%s'}"
            .formatted(v4, v6, tunnel4, tunnel6));
  }

  private static BlockOwners owners(Map<String, String> blocks) {
    BlockOwners owners = new BlockOwners();
    blocks.forEach((block, owner) -> owners.onChange(block(block, owner, owner)));
    return owners;
  }

  private static Change block(String cidr, String owner, String holder) {
    return new Change.Put(
        new KeyValue(
            IpamKeys.block(Prefix.parse(cidr)),
            """
            {"cidr":"%s","affinity":"host:%s","allocations":[0,null,null,null],
             "unallocated":[1,2,3],"attributes":[{"handle_id":"a","secondary":{"node":"%s"}}],
             "sequenceNumber":1,"sequenceNumberForAllocation":{},"deleted":false}
            """
                .formatted(cidr, owner, holder),
            1));
  }

  private static OverlayPlan plan(String resources) {
    return OverlayPlanner.plan(
        "node1", Documents.view(resources), owners(BLOCKS), TunnelKnobs.DEFAULT);
  }

  private static Wrapping wrapping(OverlayPlan plan, IpFamily family) {
    return Objects.requireNonNull(plan.wrappings().get(family), "nothing is wrapped");
  }

  private static Way wrapped(String end) {
    return new Way.Tunnelled(IpAddress.parse(end));
  }

  private static Way plain(String machine) {
    return new Way.Plain(IpAddress.parse(machine));
  }

  @Test
  void without_a_pool_that_wraps_there_is_nothing() {
    assertThat(plan(NODES + document("IPPool", "four", "{cidr: 10.65.0.0/16}")))
        .isEqualTo(OverlayPlan.NONE);
    assertThat(plan(NODES + document("IPPool", "p", "{cidr: 10.65.0.0/16, ipipMode: Always}")))
        .isEqualTo(OverlayPlan.NONE);
  }

  @Test
  void always_wraps_to_every_node_both_families_alike() {
    OverlayPlan plan = plan(NODES + ALWAYS);
    Wrapping four = wrapping(plan, IpFamily.IPV4);
    assertThat(four.vni()).isEqualTo(4096);
    assertThat(four.port()).isEqualTo(4789);
    assertThat(four.tunnel())
        .contains(
            new Tunnel(
                IpAddress.parse("10.65.0.1"),
                MacAddress.parse("66:f9:37:c3:7e:94"),
                IpAddress.parse("192.0.2.1")));
    assertThat(four.peers().get("node3"))
        .isEqualTo(
            new Peer(
                IpAddress.parse("10.65.3.1"),
                TunnelMac.of("node3", IpFamily.IPV4),
                IpAddress.parse("198.51.100.3")));
    assertThat(four.routes())
        .isEqualTo(
            Map.of(
                Prefix.parse("10.65.2.0/30"), wrapped("10.65.2.1"),
                Prefix.parse("10.65.3.0/30"), wrapped("10.65.3.1")));
    Wrapping six = wrapping(plan, IpFamily.IPV6);
    assertThat(six.tunnel().orElseThrow().mac()).isEqualTo(MacAddress.parse("66:0f:35:f2:60:df"));
    assertThat(six.routes())
        .isEqualTo(
            Map.of(
                Prefix.parse("fd00:65:2::/126"), wrapped("fd00:65:2::1"),
                Prefix.parse("fd00:65:3::/126"), wrapped("fd00:65:3::1")));
    assertThat(plan.machines())
        .containsExactlyInAnyOrder(
            IpAddress.parse("192.0.2.2"),
            IpAddress.parse("198.51.100.3"),
            IpAddress.parse("2001:db8:1::2"),
            IpAddress.parse("2001:db8:3::3"));
    assertThat(plan.problems()).isEmpty();
  }

  @Test
  void cross_subnet_goes_plainly_to_nodes_of_our_own_subnet() {
    OverlayPlan plan = plan(NODES + CROSS_SUBNET);
    assertThat(wrapping(plan, IpFamily.IPV4).routes())
        .isEqualTo(
            Map.of(
                Prefix.parse("10.65.2.0/30"), plain("192.0.2.2"),
                Prefix.parse("10.65.3.0/30"), wrapped("10.65.3.1")));
    assertThat(wrapping(plan, IpFamily.IPV6).routes())
        .isEqualTo(
            Map.of(
                Prefix.parse("fd00:65:2::/126"), plain("2001:db8:1::2"),
                Prefix.parse("fd00:65:3::/126"), wrapped("fd00:65:3::1")));
  }

  @Test
  void a_borrowed_address_is_routed_to_who_has_it() {
    BlockOwners owners = owners(BLOCKS);
    owners.onChange(block("10.65.2.0/30", "node2", "node3"));
    owners.onChange(block("10.65.0.0/30", "node1", "node2"));
    owners.onChange(block("10.65.3.0/30", "node3", "node1"));
    OverlayPlan plan =
        OverlayPlanner.plan("node1", Documents.view(NODES + ALWAYS), owners, TunnelKnobs.DEFAULT);
    assertThat(wrapping(plan, IpFamily.IPV4).routes())
        .isEqualTo(
            Map.of(
                Prefix.parse("10.65.0.0/32"), wrapped("10.65.2.1"),
                Prefix.parse("10.65.2.0/30"), wrapped("10.65.2.1"),
                Prefix.parse("10.65.2.0/32"), wrapped("10.65.3.1"),
                Prefix.parse("10.65.3.0/30"), wrapped("10.65.3.1")));
  }

  @Test
  void a_node_without_a_tunnel_address_has_plain_routes_only_and_says_nothing_of_its_own() {
    String waiting = NODES.replace("ipv4VXLANTunnelAddr: 10.65.0.1, ", "");
    OverlayPlan plan = plan(waiting + CROSS_SUBNET);
    assertThat(wrapping(plan, IpFamily.IPV4).tunnel()).isEmpty();
    assertThat(wrapping(plan, IpFamily.IPV4).routes())
        .isEqualTo(Map.of(Prefix.parse("10.65.2.0/30"), plain("192.0.2.2")));
  }

  @Test
  void what_is_missing_of_nodes_is_said() {
    BlockOwners owners = owners(BLOCKS);
    owners.onChange(block("10.65.4.0/30", "node4", "node4"));
    owners.onChange(block("10.65.5.0/30", "gone", "gone"));
    assertThat(
            OverlayPlanner.plan(
                    "node1", Documents.view(NODES + ALWAYS), owners, TunnelKnobs.DEFAULT)
                .problems())
        .singleElement()
        .asString()
        .contains("gone, node4", "can't be reached");
    assertThat(
            OverlayPlanner.plan(
                    "stranger", Documents.view(NODES + ALWAYS), owners, TunnelKnobs.DEFAULT)
                .problems())
        .anyMatch(problem -> problem.startsWith("Node stranger has no spec.bgp.ipv4Address"));
  }

  @Test
  void a_mac_address_that_a_node_names_is_believed() {
    String named =
        NODES.replace(
            "{bgp: {ipv4Address: 198",
            "{vxlanTunnelMACAddr: '02:00:00:00:00:03', bgp: {ipv4Address: 198");
    assertThat(wrapping(plan(named + ALWAYS), IpFamily.IPV4).peers().get("node3"))
        .extracting(Peer::mac)
        .isEqualTo(MacAddress.parse("02:00:00:00:00:03"));
  }

  @Test
  void a_disabled_pools_pods_stay_reachable_and_no_new_tunnel_address_comes_from_it() {
    String disabled = NODES + ALWAYS.replace("Always", "Always, disabled: true");
    assertThat(wrapping(plan(disabled), IpFamily.IPV4).routes()).hasSize(2);
    ClusterView view = Documents.view(disabled);
    assertThat(view.tunnelAddressPools("node1", IpFamily.IPV4)).isEmpty();
    assertThat(Documents.view(NODES + ALWAYS).tunnelAddressPools("node1", IpFamily.IPV4))
        .isEqualTo(List.of(Prefix.parse("10.65.0.0/16")));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"allowedUses: [Workload]", "nodeSelector: \"rack == 'a'\"", "disabled: true"})
  void a_tunnel_address_comes_from_pools_that_are_for_it(String setting) {
    assertThat(
            Documents.view(
                    NODES
                        + document(
                            "IPPool",
                            "p",
                            "{cidr: 10.65.0.0/16, vxlanMode: Always, " + setting + "}"))
                .tunnelAddressPools("node1", IpFamily.IPV4))
        .isEmpty();
  }
}
