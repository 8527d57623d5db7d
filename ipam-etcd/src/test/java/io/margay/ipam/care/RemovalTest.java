package io.margay.ipam.care;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import io.margay.datastore.DatastoreException;
import io.margay.datastore.InMemoryDatastore;
import io.margay.datastore.KeyValue;
import io.margay.datastore.json.ResourceJson;
import io.margay.datastore.json.ResourceKeys;
import io.margay.ipam.AssignIpRequest;
import io.margay.ipam.Block;
import io.margay.ipam.Ipam;
import io.margay.ipam.IpamConfig;
import io.margay.ipam.IpamKeys;
import io.margay.ipam.Pool;
import io.margay.ipam.Pools;
import io.margay.ipam.SameTxn;
import io.margay.ipam.Unreadable;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import io.margay.model.resource.ClusterInformation;
import io.margay.model.resource.ClusterInformationSpec;
import io.margay.model.resource.IPAMConfiguration;
import io.margay.model.resource.IPAMConfigurationSpec;
import io.margay.model.resource.IPPool;
import io.margay.model.resource.IPPoolSpec;
import io.margay.model.resource.Kind;
import io.margay.model.resource.Metadata;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Nodes and pools on their way out, pools in parts, settings in two places.
class RemovalTest {

  private static final String POOLS = ResourceKeys.prefix(Kind.IP_POOL);

  private final InMemoryDatastore store = new InMemoryDatastore();
  private Cluster cluster;

  @BeforeEach
  void build() throws Exception {
    cluster = Cluster.of(store, 2, 3);
  }

  @AfterEach
  void close() {
    store.close();
  }

  private void lock(boolean locked) throws Exception {
    cluster.put(
        new ClusterInformation(
            Metadata.named("default"),
            new ClusterInformationSpec("guid", null, null, !locked, null, Map.of())));
  }

  @Test
  void a_removed_node_leaves_nothing_and_takes_nothing_of_others() throws Exception {
    Map<IpAddress, String> expected = new TreeMap<>(cluster.held());
    expected
        .values()
        .removeIf(
            handle -> handle.contains(".cp0") || handle.endsWith("-n0") || handle.endsWith(".n0"));

    NodeRemoval.Result result = NodeRemoval.run(store, () -> Cluster.BIRTH, "n0", false);

    assertThat(result).isInstanceOf(NodeRemoval.Result.Done.class);
    NodeRemoval.Result.Done done = (NodeRemoval.Result.Done) result;
    assertThat(done.endpoints()).isEqualTo(3);
    assertThat(done.addresses()).isEqualTo(8);
    assertThat(done.blocks()).isEqualTo(2);
    cluster.deleteNode("n0");
    assertThat(cluster.held()).isEqualTo(expected);
    assertThat(store.list(IpamKeys.affinities("n0")).items()).isEmpty();
    assertThat(cluster.check().findings()).isEmpty();
    assertThat(NodeRemoval.run(store, () -> Cluster.BIRTH, "n0", false))
        .isEqualTo(new NodeRemoval.Result.Done(0, 0, 0));
  }

  @Test
  void a_removed_nodes_addresses_go_whatever_handles_say() throws Exception {
    Map<IpAddress, String> expected = new TreeMap<>(cluster.held());
    expected.values().removeIf(handle -> handle.contains(".cp0") || handle.endsWith("n0"));
    cluster.delete(IpamKeys.handle(Cluster.handle("p0x0")));
    cluster.put(IpamKeys.handle(Cluster.handle("p0x1")), "{\"block\":{},\"deleted\":false}");
    for (KeyValue item : cluster.blocks()) {
      cluster.put(
          item.key(),
          item.value()
              .replace("\"handle_id\":\"" + Cluster.handle("p0x2") + "\"", "\"handle_id\":null"));
    }
    cluster.delete(IpamKeys.handle(Cluster.handle("p0x2")));

    NodeRemoval.run(store, () -> Cluster.BIRTH, "n0", false);

    cluster.deleteNode("n0");
    assertThat(cluster.held()).isEqualTo(expected);
    assertThat(cluster.check().findings()).isEmpty();
  }

  @Test
  void the_gateway_that_a_removed_node_asked_for_first_is_still_every_nodes() throws Exception {
    String gateway = "margay-gateway.10.8.0.0-20";
    try (Ipam ipam = cluster.ipam()) {
      cluster.assign(ipam, gateway, "n0", Map.of("node", "n0", "type", "margayGateway"));
    }
    NodeRemoval.run(store, () -> Cluster.BIRTH, "n0", false);
    cluster.deleteNode("n0");
    assertThat(cluster.held()).containsValue(gateway);
    assertThat(cluster.check().findings()).isEmpty();
  }

  /// A block of its own, one it borrows from and a handle; its other pods go at once.
  @Test
  void a_removed_nodes_unreadable_documents_are_named_and_a_second_run_finishes() throws Exception {
    Map<IpAddress, String> others = new TreeMap<>(cluster.held());
    others.values().removeIf(handle -> handle.contains(".cp0") || handle.endsWith("n0"));
    borrow("10.8.15.241", "lender", "n0", "p0x9");
    String own = blockOf(Cluster.handle("p0x0"), "10.8.");
    String lender = IpamKeys.block(Prefix.parse("10.8.15.240/28"));
    String handle = IpamKeys.handle(Cluster.handle("p0x1"));
    Map<String, String> mended = new TreeMap<>();
    for (String key : List.of(own, lender, handle)) {
      mended.put(key, store.get(key).orElseThrow().value());
      cluster.put(key, "{broken");
    }

    NodeRemoval.Result first = NodeRemoval.run(store, () -> Cluster.BIRTH, "n0", false);

    assertThat(first)
        .asInstanceOf(type(NodeRemoval.Result.Unfinished.class))
        .satisfies(
            unfinished -> {
              assertThat(unfinished.left())
                  .extracting(Unreadable::key)
                  .containsExactlyElementsOf(mended.keySet());
              assertThat(unfinished.addresses()).as("IPv6 of two pods").isEqualTo(2);
              assertThat(unfinished.blocks()).as("the IPv6 one").isEqualTo(1);
            });
    mended.forEach(this::mend);
    assertThat(NodeRemoval.run(store, () -> Cluster.BIRTH, "n0", false))
        .isInstanceOf(NodeRemoval.Result.Done.class);
    cluster.deleteNode("n0");
    cluster.deleteNode("lender");
    assertThat(cluster.held()).isEqualTo(others);
    assertThat(store.list(IpamKeys.affinities("n0")).items()).isEmpty();
    assertThat(store.list(IpamKeys.HANDLES).items()).hasSize(3);
  }

  /// A pod of `node` whose address is in a block that `lender` owns.
  private void borrow(String address, String lender, String node, String pod) throws Exception {
    try (Ipam ipam =
        new Ipam(store, () -> Cluster.BIRTH, Pools.of(Pool.of("v4", Cluster.V4, 28)))) {
      IpAddress own = IpAddress.parse("10.8.15.242");
      ipam.assignIp(new AssignIpRequest(own, "lent", lender, Map.of(), SameTxn.nothing()));
      IpAddress borrowed = IpAddress.parse(address);
      ipam.assignIp(
          new AssignIpRequest(
              borrowed,
              Cluster.handle(pod),
              node,
              Map.of("node", node, "pod", pod, "namespace", "shop"),
              SameTxn.nothing()));
      ipam.releaseByHandle("lent", SameTxn.Extras.NONE);
      cluster.put(Cluster.endpoint(node, pod, Cluster.container(pod), List.of(borrowed)));
    }
  }

  private String blockOf(String handle, String start) throws Exception {
    for (KeyValue item : cluster.blocks()) {
      Block block = cluster.block(item);
      if (block.cidr().toString().startsWith(start)
          && block.allocated().stream()
              .anyMatch(held -> held.holder().cleanHandleId().equals(Optional.of(handle)))) {
        return item.key();
      }
    }
    throw new AssertionError(handle);
  }

  private void mend(String key, String document) {
    try {
      cluster.put(key, document);
    } catch (DatastoreException failure) {
      throw new AssertionError(failure);
    }
  }

  @Test
  void a_node_whose_agent_is_alive_is_removed_only_by_force() throws Exception {
    cluster.put(AgentBeat.key("n0"), new AgentBeat(Cluster.BIRTH.minusSeconds(60)).toJson());
    long revision = store.revision();
    assertThat(NodeRemoval.run(store, () -> Cluster.BIRTH, "n0", false))
        .isInstanceOf(NodeRemoval.Result.Refused.class);
    assertThat(store.revision()).isEqualTo(revision);
    assertThat(NodeRemoval.run(store, () -> Cluster.BIRTH, "n0", true))
        .isInstanceOf(NodeRemoval.Result.Done.class);
    assertThat(store.get(AgentBeat.key("n0"))).isEmpty();
  }

  @Test
  void a_pool_in_use_stays_as_it_is() throws Exception {
    long revision = store.revision();
    PoolRemoval.Result result = PoolRemoval.run(store, "v4", false);
    assertThat(result).isInstanceOf(PoolRemoval.Result.Refused.class);
    assertThat(((PoolRemoval.Result.Refused) result).reason())
        .contains("8 of its addresses are in use", "nothing was changed");
    assertThat(store.revision()).isEqualTo(revision);
  }

  @Test
  void a_pool_in_use_goes_by_force_and_its_pods_keep_their_addresses() throws Exception {
    Map<IpAddress, String> before = cluster.held();
    assertThat(PoolRemoval.run(store, "v4", true)).isEqualTo(new PoolRemoval.Result.Done(2, 8));
    assertThat(cluster.held()).isEqualTo(before);
    assertThat(store.get(POOLS + "v4").orElseThrow().value()).contains("\"disabled\":true");
    assertThat(IpamState.read(store).claims.keySet())
        .noneMatch(key -> Cluster.V4.contains(key.block()));
  }

  @Test
  void an_unused_pool_is_emptied_of_blocks() throws Exception {
    NodeRemoval.run(store, () -> Cluster.BIRTH, "n0", false);
    NodeRemoval.run(store, () -> Cluster.BIRTH, "n1", false);
    assertThat(PoolRemoval.run(store, "v4", false)).isInstanceOf(PoolRemoval.Result.Done.class);
    assertThat(cluster.blocks()).isEmpty();
  }

  private PoolSplit.Result split(int parts) throws Exception {
    return PoolSplit.run(
        store, () -> Cluster.BIRTH, pool -> pool.metadata().name().equals("v4"), "v4", parts);
  }

  @Test
  void a_pool_is_split_in_one_transaction_under_the_lock() throws Exception {
    assertThat(split(4)).isInstanceOf(PoolSplit.Result.Refused.class);
    lock(true);
    long revision = store.revision();
    PoolSplit.Result.Done done = (PoolSplit.Result.Done) split(4);
    assertThat(store.revision()).isEqualTo(revision + 1);
    assertThat(done.parts())
        .extracting(part -> part.metadata().name() + " " + part.spec().cidr())
        .containsExactly(
            "split-v4-0 10.8.0.0/22",
            "split-v4-1 10.8.4.0/22",
            "split-v4-2 10.8.8.0/22",
            "split-v4-3 10.8.12.0/22");
    assertThat(store.get(POOLS + "v4")).isEmpty();
    assertThat(done.parts()).allMatch(part -> part.spec().effectiveBlockSize() == 28);
    assertThat(cluster.check().findings()).isEmpty();
  }

  @Test
  void a_split_that_does_not_fit_changes_nothing() throws Exception {
    lock(true);
    long revision = store.revision();
    assertThat(((PoolSplit.Result.Refused) split(3)).reason()).contains("a power of two");
    assertThat(((PoolSplit.Result.Refused) split(128)).reason()).contains("from 2 to 64");
    cluster.put(
        new IPPool(Metadata.named("split-v4-1"), IPPoolSpec.of(Prefix.parse("10.99.0.0/16"))));
    assertThat(((PoolSplit.Result.Refused) split(2)).reason())
        .contains("split-v4-1 exists already");
    Prefix wide = Prefix.parse("10.8.0.0/20");
    cluster.put(IpamKeys.block(wide), Damage.emptyBlock(wide, "null"));
    assertThat(((PoolSplit.Result.Refused) split(2)).reason())
        .isEqualTo("block 10.8.0.0/20 would lie in several parts");
    assertThat(store.revision()).isEqualTo(revision + 2);
  }

  @Test
  void parts_of_ipv6_pools_are_counted_in_128_bits() {
    assertThat(PoolSplit.parts(Prefix.parse("fd00::/64"), 65, 2))
        .containsExactly(Prefix.parse("fd00::/65"), Prefix.parse("fd00:0:0:0:8000::/65"));
    assertThat(PoolSplit.parts(Prefix.parse("0.0.0.0/0"), 1, 2))
        .containsExactly(Prefix.parse("0.0.0.0/1"), Prefix.parse("128.0.0.0/1"));
  }

  @Test
  void settings_are_one_truth() throws Exception {
    assertThat(IpamSettings.read(store).mayAllocateBlocks()).isTrue();
    cluster.put(
        new IPAMConfiguration(
            Metadata.named("default"),
            new IPAMConfigurationSpec(true, true, 3, null, null, Map.of())));
    IpamSettings.Result result =
        IpamSettings.change(
            store,
            before ->
                new IPAMConfigurationSpec(
                    true,
                    before.autoAllocateBlocks(),
                    before.maxBlocksPerHost(),
                    null,
                    30,
                    before.unknown()));
    assertThat(result).isInstanceOf(IpamSettings.Result.Done.class);
    String document = store.get(IpamKeys.CONFIG).orElseThrow().value();
    assertThat(document)
        .isEqualTo(
            "{\"strict_affinity\":true,\"auto_allocate_blocks\":true,\"maxBlocksPerHost\":3,\"ipCooldownSeconds\":30}");
    assertThat(IpamConfig.parse(document))
        .isEqualTo(new IpamConfig(true, true, 3, Duration.ofSeconds(30)));
    assertThat(store.get(ResourceKeys.key(IpamSettings.REF)).orElseThrow().value())
        .contains("\"strictAffinity\":true", "\"ipCooldownSeconds\":30");
    assertThat(IpamSettings.change(store, before -> before))
        .isInstanceOf(IpamSettings.Result.Unchanged.class);
  }

  @Test
  void impossible_settings_are_refused() throws Exception {
    IpamSettings.Result result =
        IpamSettings.change(
            store, _ -> new IPAMConfigurationSpec(false, false, null, null, null, Map.of()));
    assertThat(result).isInstanceOf(IpamSettings.Result.Refused.class);
    assertThat(store.get(IpamKeys.CONFIG)).isEmpty();
  }

  @Test
  void the_document_wins_over_the_resource_that_no_allocator_reads() {
    IPAMConfiguration resource =
        new IPAMConfiguration(
            Metadata.named("default"),
            new IPAMConfigurationSpec(true, true, 5, null, null, Map.of()));
    IPAMConfigurationSpec spec =
        IpamSettings.inForce(Optional.of(resource), Optional.of("{\"auto_allocate_blocks\":true}"))
            .orElseThrow()
            .spec();
    assertThat(spec.isStrictAffinity()).isFalse();
    assertThat(spec.maxBlocksPerHost()).isZero();
    assertThat(ResourceJson.encode(resource)).contains("strictAffinity");
    assertThat(List.of(spec.mayAllocateBlocks())).containsExactly(true);
  }
}
