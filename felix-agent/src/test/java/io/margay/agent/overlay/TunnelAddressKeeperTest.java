package io.margay.agent.overlay;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.agent.calc.Documents;
import io.margay.agent.overlay.TunnelAddressKeeper.Wish;
import io.margay.datastore.InMemoryDatastore;
import io.margay.datastore.Txn;
import io.margay.datastore.json.Decoded;
import io.margay.datastore.json.ResourceJson;
import io.margay.datastore.json.ResourceKeys;
import io.margay.ipam.Block;
import io.margay.ipam.Ipam;
import io.margay.ipam.IpamKeys;
import io.margay.ipam.Pool;
import io.margay.ipam.Pools;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.model.resource.Kind;
import io.margay.model.resource.Node;
import io.margay.model.resource.NodeSpec;
import io.margay.model.resource.ResourceRef;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class TunnelAddressKeeperTest {

  private static final String NODE = ResourceKeys.key(ResourceRef.global(Kind.NODE, "n1"));
  private static final Prefix FOUR = Prefix.parse("10.65.0.0/24");
  private static final Prefix OTHER = Prefix.parse("10.66.0.0/24");
  private static final Prefix SIX = Prefix.parse("fd00:65::/112");

  private final InMemoryDatastore store = new InMemoryDatastore();
  private final Ipam ipam =
      new Ipam(
          store,
          InstantSource.system(),
          Pools.of(
              Pool.of("four", FOUR, 26), Pool.of("other", OTHER, 26), Pool.of("six", SIX, 122)));
  private final TunnelAddressKeeper keeper = new TunnelAddressKeeper("n1", store, ipam);

  @AfterEach
  void close() {
    keeper.close();
    ipam.close();
    store.close();
  }

  private void putNode(String spec) throws Exception {
    store.commit(
        Txn.builder()
            .put(
                NODE,
                ResourceJson.encode(
                    Documents.read(Documents.document("Node", "n1", spec)).getFirst()))
            .build());
  }

  private NodeSpec node() throws Exception {
    var item = store.get(NODE).orElseThrow();
    return ResourceJson.decode(NODE, item.value(), item.modRevision()).orElseThrow()
            instanceof Decoded.Valid(Node node)
        ? node.spec()
        : NodeSpec.EMPTY;
  }

  private static Wish in(Prefix... pools) {
    return new Wish(List.of(pools), List.of(pools), Optional.empty());
  }

  /// One round for a wish.
  private boolean round(Map<IpFamily, Wish> wanted) {
    return keeper.settle(wanted);
  }

  private List<Block.Allocation> held() throws Exception {
    return ipam.listBlocks().stream().flatMap(block -> block.allocated().stream()).toList();
  }

  @Test
  void an_address_is_taken_and_noted_under_calicos_handle_and_attributes() throws Exception {
    putNode("{bgp: {ipv4Address: 192.0.2.1/24}}");
    assertThat(round(Map.of(IpFamily.IPV4, in(FOUR), IpFamily.IPV6, in(SIX)))).isTrue();

    IpAddress four = Objects.requireNonNull(node().ipv4VXLANTunnelAddr());
    IpAddress six = Objects.requireNonNull(node().ipv6VXLANTunnelAddr());
    assertThat(FOUR.contains(four)).isTrue();
    assertThat(SIX.contains(six)).isTrue();
    assertThat(node().bgp()).isNotNull();
    assertThat(held())
        .extracting(
            allocation ->
                allocation.address()
                    + " "
                    + allocation.holder().cleanHandleId().orElseThrow()
                    + " "
                    + new java.util.TreeMap<>(allocation.holder().secondary()))
        .containsExactlyInAnyOrder(
            four + " vxlan-tunnel-addr-n1 {node=n1, type=vxlanTunnelAddress}",
            six + " vxlan-v6-tunnel-addr-n1 {node=n1, type=vxlanV6TunnelAddress}");
    assertThat(store.get(IpamKeys.handle("vxlan-tunnel-addr-n1"))).isPresent();
  }

  @Test
  void a_round_that_finds_all_as_it_should_be_writes_nothing() throws Exception {
    putNode("{}");
    Map<IpFamily, Wish> wish = Map.of(IpFamily.IPV4, in(FOUR), IpFamily.IPV6, in());
    round(wish);
    String noted = store.get(NODE).orElseThrow().toString();
    List<Block.Allocation> before = held();
    assertThat(round(wish)).isTrue();
    assertThat(store.get(NODE).orElseThrow().toString()).isEqualTo(noted);
    assertThat(held()).isEqualTo(before);
  }

  @Test
  void a_node_whose_note_was_lost_or_changed_has_its_address_noted_again() throws Exception {
    putNode("{}");
    Map<IpFamily, Wish> wish = Map.of(IpFamily.IPV4, in(FOUR));
    round(wish);
    IpAddress address = node().ipv4VXLANTunnelAddr();
    for (String spoiled : List.of("{}", "{ipv4VXLANTunnelAddr: 10.65.0.77}")) {
      putNode(spoiled);
      assertThat(round(wish)).isTrue();
      assertThat(node().ipv4VXLANTunnelAddr()).isEqualTo(address);
      assertThat(held()).hasSize(1);
    }
  }

  @Test
  void an_address_of_a_pool_that_is_wrapped_no_more_is_exchanged() throws Exception {
    putNode("{}");
    round(Map.of(IpFamily.IPV4, in(FOUR)));
    assertThat(round(Map.of(IpFamily.IPV4, in(OTHER)))).isTrue();
    assertThat(OTHER.contains(Objects.requireNonNull(node().ipv4VXLANTunnelAddr()))).isTrue();
    assertThat(held()).singleElement().matches(held -> OTHER.contains(held.address()));
  }

  @Test
  void of_a_disabled_pool_the_address_is_kept_and_none_is_taken() throws Exception {
    putNode("{}");
    Map<IpFamily, Wish> closed =
        Map.of(IpFamily.IPV4, new Wish(List.of(FOUR), List.of(), Optional.empty()));
    assertThat(round(closed)).isFalse();
    assertThat(held()).isEmpty();
    round(Map.of(IpFamily.IPV4, in(FOUR)));
    IpAddress address = node().ipv4VXLANTunnelAddr();
    assertThat(round(closed)).isTrue();
    assertThat(node().ipv4VXLANTunnelAddr()).isEqualTo(address);
  }

  @Test
  void without_a_pool_that_wraps_address_and_note_go_together() throws Exception {
    putNode("{bgp: {ipv4Address: 192.0.2.1/24}}");
    round(Map.of(IpFamily.IPV4, in(FOUR), IpFamily.IPV6, in(SIX)));
    assertThat(round(Map.of(IpFamily.IPV4, in(), IpFamily.IPV6, in(SIX)))).isTrue();
    assertThat(node().ipv4VXLANTunnelAddr()).isNull();
    assertThat(node().ipv6VXLANTunnelAddr()).isNotNull();
    assertThat(held()).singleElement().matches(held -> SIX.contains(held.address()));
    assertThat(store.get(IpamKeys.handle("vxlan-tunnel-addr-n1"))).isEmpty();
  }

  @Test
  void what_cannot_be_done_yet_is_tried_again_and_leaks_nothing() throws Exception {
    Map<IpFamily, Wish> wish = Map.of(IpFamily.IPV4, in(FOUR));
    assertThat(round(wish)).as("no Node").isFalse();
    assertThat(held()).isEmpty();
    putNode("{}");
    keeper.want(wish);
    assertThat(keeper.round()).as("not in sync").isFalse();
    assertThat(held()).isEmpty();
    assertThat(round(Map.of(IpFamily.IPV4, in(Prefix.parse("10.99.0.0/24"))))).isFalse();
    assertThat(round(wish)).isTrue();
    assertThat(held()).hasSize(1);
  }

  @Test
  @Timeout(60)
  void started_it_works_by_itself() throws Exception {
    putNode("{}");
    keeper.want(Map.of(IpFamily.IPV4, in(FOUR)));
    keeper.start(() -> true);
    while (node().ipv4VXLANTunnelAddr() == null) {
      Thread.onSpinWait();
    }
    keeper.want(Map.of(IpFamily.IPV4, in()));
    while (node().ipv4VXLANTunnelAddr() != null) {
      Thread.onSpinWait();
    }
  }

  /// As on a node's first start: there is no Node to note the address in yet.
  @Test
  @Timeout(60)
  void a_wish_that_comes_after_the_start_and_cannot_be_met_is_tried_again_soon() throws Exception {
    keeper.start(() -> true);
    Thread.sleep(50);
    keeper.want(Map.of(IpFamily.IPV4, in(FOUR)));
    Thread.sleep(50);
    putNode("{}");
    while (node().ipv4VXLANTunnelAddr() == null) {
      Thread.sleep(10);
    }
  }
}
