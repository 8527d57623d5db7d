package io.margay.ipam.care;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.datastore.InMemoryDatastore;
import io.margay.datastore.KeyValue;
import io.margay.ipam.BlockAffinity;
import io.margay.ipam.IpamKeys;
import io.margay.ipam.care.GarbageCollector.Mode;
import io.margay.ipam.care.GarbageVerdict.Outcome;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import io.margay.model.resource.ClusterInformation;
import io.margay.model.resource.ClusterInformationSpec;
import io.margay.model.resource.Metadata;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class GarbageCollectorTest {

  private final InMemoryDatastore store = new InMemoryDatastore();
  private Cluster cluster;
  private Instant now = Cluster.BIRTH;
  private GarbageCollector collector;
  private final GarbageRole n0 =
      new GarbageRole(
          Optional.of(
              new NodeWitness(
                  "n0",
                  Set.of(Cluster.handle("p0x0"), Cluster.handle("p0x2")),
                  Set.of(),
                  Set.of(),
                  true)),
          true,
          Set.of());

  @BeforeEach
  void build() throws Exception {
    cluster = Cluster.of(store, 2, 3);
    collector =
        new GarbageCollector(store, () -> IpamState.read(store), () -> now, GarbageLimits.DEFAULT);
  }

  @AfterEach
  void close() {
    store.close();
  }

  private GarbageCollector.Round later(Mode mode) throws Exception {
    now = now.plus(GarbageLimits.DEFAULT.grace());
    return collector.round(n0, mode);
  }

  @Test
  void a_dry_run_tells_and_writes_nothing() throws Exception {
    cluster.delete(Cluster.endpointKey("n0", "p0x1"));
    long revision = store.revision();
    collector.round(n0, Mode.DRY_RUN);
    GarbageCollector.Round round = later(Mode.DRY_RUN);
    assertThat(round.decision().count(Outcome.RELEASE)).isEqualTo(1);
    assertThat(round.released()).isEmpty();
    assertThat(store.revision()).isEqualTo(revision);
  }

  @Test
  void a_leak_is_freed_with_its_handle_and_nothing_else_changes() throws Exception {
    Map<IpAddress, String> before = cluster.held();
    cluster.delete(Cluster.endpointKey("n0", "p0x1"));
    collector.round(n0, Mode.ON);
    assertThat(cluster.held()).isEqualTo(before);
    assertThat(later(Mode.ON).released()).hasSize(1);
    Map<IpAddress, String> expected = new TreeMap<>(before);
    expected.values().removeIf(Cluster.handle("p0x1")::equals);
    assertThat(cluster.held()).isEqualTo(expected);
    assertThat(store.get(IpamKeys.handle(Cluster.handle("p0x1")))).isEmpty();
    assertThat(cluster.check().findings()).isEmpty();
    assertThat(later(Mode.ON).released()).isEmpty();
  }

  @Test
  void how_long_a_leak_is_suspected_does_not_depend_on_who_sets_the_clock() throws Exception {
    Instant started = now;
    AtomicReference<Instant> passed = new AtomicReference<>(started);
    collector =
        new GarbageCollector(
            store, () -> IpamState.read(store), () -> now, passed::get, GarbageLimits.DEFAULT);
    cluster.delete(Cluster.endpointKey("n0", "p0x1"));
    collector.round(n0, Mode.ON);
    now = started.plus(Duration.ofDays(2));
    assertThat(collector.round(n0, Mode.ON).released()).as("two days ahead").isEmpty();
    now = started.minus(Duration.ofDays(2));
    passed.set(started.plus(GarbageLimits.DEFAULT.grace()));
    assertThat(collector.round(n0, Mode.ON).released()).as("two days behind").hasSize(1);
  }

  @Test
  void an_endpoint_without_an_attachment_goes_in_the_same_transaction() throws Exception {
    collector.round(n0, Mode.ON);
    long revision = store.revision();
    later(Mode.ON);
    assertThat(store.revision()).isEqualTo(revision + 1);
    assertThat(store.get(Cluster.endpointKey("n0", "p0x1"))).isEmpty();
    assertThat(cluster.check().findings()).isEmpty();
  }

  @Test
  void a_handle_that_cannot_be_read_keeps_its_own_addresses_only() throws Exception {
    cluster.delete(Cluster.endpointKey("n0", "p0x1"));
    cluster.delete(Cluster.endpointKey("n1", "p1x1"));
    cluster.deleteNode("n1");
    cluster.put(IpamKeys.handle(Cluster.handle("p0x1")), "{broken");
    collector.round(n0, Mode.ON);
    later(Mode.ON);
    assertThat(cluster.held()).containsValue(Cluster.handle("p0x1"));
    assertThat(cluster.held()).doesNotContainValue(Cluster.handle("p1x1"));
  }

  @Test
  void a_vanished_nodes_unreadable_block_stays_claimed_and_the_rest_goes() throws Exception {
    NodeRemoval.run(store, () -> now, "n1", false);
    cluster.deleteNode("n1");
    Prefix unreadable = Prefix.parse("10.8.15.224/28");
    cluster.put(IpamKeys.block(unreadable), "{broken");
    cluster.put(IpamKeys.affinity("n1", unreadable), BlockAffinity.CONFIRMED.toJson());
    Prefix missing = Prefix.parse("10.8.15.240/28");
    cluster.put(IpamKeys.affinity("n1", missing), BlockAffinity.CONFIRMED.toJson());
    collector.round(n0, Mode.ON);
    assertThat(later(Mode.ON).blocks()).containsExactly(new IpamKeys.AffinityKey("n1", missing));
    assertThat(store.list(IpamKeys.affinities("n1")).items())
        .extracting(KeyValue::key)
        .containsExactly(IpamKeys.affinity("n1", unreadable));
    assertThat(later(Mode.ON).blocks()).isEmpty();
  }

  @Test
  void a_block_written_between_judgement_and_release_is_looked_at_again() throws Exception {
    cluster.delete(Cluster.endpointKey("n0", "p0x1"));
    collector.round(n0, Mode.ON);
    now = now.plus(GarbageLimits.DEFAULT.grace());
    IpamState stale = IpamState.read(store);
    for (var item : cluster.blocks()) {
      cluster.put(item.key(), item.value().replaceAll("(\"\\d+\":\\d{18})\\d", "$17"));
    }
    Map<IpAddress, String> before = cluster.held();
    GarbageCollector behind =
        new GarbageCollector(store, () -> stale, () -> now, GarbageLimits.DEFAULT);
    behind.round(n0, Mode.ON);
    now = now.plus(GarbageLimits.DEFAULT.grace());
    GarbageCollector.Round round = behind.round(n0, Mode.ON);
    assertThat(round.released()).isEmpty();
    assertThat(round.overtaken()).isEqualTo(1);
    assertThat(cluster.held()).isEqualTo(before);
  }

  @Test
  void a_handle_that_got_another_address_meanwhile_is_kept() throws Exception {
    cluster.delete(Cluster.endpointKey("n0", "p0x1"));
    collector.round(n0, Mode.ON);
    IpamState stale = IpamState.read(store);
    now = now.plus(GarbageLimits.DEFAULT.grace());
    GarbageCollector behind =
        new GarbageCollector(store, () -> stale, () -> now, GarbageLimits.DEFAULT);
    behind.round(n0, Mode.ON);
    for (var item : cluster.blocks()) {
      var block = cluster.block(item);
      if (Cluster.V4.contains(block.cidr()) && block.isAffineTo("n0")) {
        var taken =
            block.takeExactly(
                block.cidr().address().plus(block.size() - 1),
                block.allocated().stream()
                    .filter(
                        held -> held.holder().handleId().orElse("").equals(Cluster.handle("p0x1")))
                    .findFirst()
                    .orElseThrow()
                    .holder());
        cluster.put(item.key(), taken.advanced().toJson());
      }
    }
    now = now.plus(GarbageLimits.DEFAULT.grace());
    assertThat(behind.round(n0, Mode.ON).overtaken()).isEqualTo(1);
  }

  /// An ADD repeated for the same container writes its endpoint and neither block nor handle.
  @Test
  void an_endpoint_that_came_meanwhile_keeps_its_addresses() throws Exception {
    String key = Cluster.endpointKey("n0", "p0x1");
    String document = store.get(key).orElseThrow().value();
    cluster.delete(key);
    IpamState stale = IpamState.read(store);
    GarbageCollector behind =
        new GarbageCollector(store, () -> stale, () -> now, GarbageLimits.DEFAULT);
    behind.round(n0, Mode.ON);
    now = now.plus(GarbageLimits.DEFAULT.grace());
    cluster.put(key, document);
    long revision = store.revision();
    assertThat(behind.round(n0, Mode.ON).overtaken()).isEqualTo(1);
    assertThat(store.revision()).isEqualTo(revision);
  }

  @Test
  void a_vanished_node_is_taken_apart_round_by_round_until_nothing_of_it_is_left()
      throws Exception {
    cluster.deleteNode("n1");
    cluster.put(AgentBeat.key("n1"), new AgentBeat(now).toJson());
    collector.round(n0, Mode.ON);
    now = now.plus(AgentBeat.ALIVE);
    collector.round(n0, Mode.ON);
    GarbageCollector.Round round = later(Mode.ON);
    assertThat(round.released()).hasSize(4);
    round = later(Mode.ON);
    assertThat(round.blocks()).isNotEmpty().allMatch(claim -> claim.node().equals("n1"));
    assertThat(store.list(IpamKeys.affinities("n1")).items()).isEmpty();
    assertThat(store.get(AgentBeat.key("n1"))).isEmpty();
    assertThat(cluster.check().findings()).isEmpty();
    long revision = store.revision();
    assertThat(later(Mode.ON).blocks()).isEmpty();
    assertThat(store.revision()).isEqualTo(revision);
  }

  @Test
  void a_node_that_registers_again_at_the_last_moment_keeps_its_pods() throws Exception {
    cluster.deleteNode("n1");
    IpamState stale = IpamState.read(store);
    GarbageCollector behind =
        new GarbageCollector(store, () -> stale, () -> now, GarbageLimits.DEFAULT);
    behind.round(n0, Mode.ON);
    now = now.plus(GarbageLimits.DEFAULT.grace());
    cluster.node("n1");
    Map<IpAddress, String> before = cluster.held();
    before.values().removeIf(Cluster.handle("p0x1")::equals);
    GarbageCollector.Round round = behind.round(n0, Mode.ON);
    assertThat(round.overtaken()).isEqualTo(3);
    assertThat(cluster.held()).isEqualTo(before);
  }

  @Test
  void a_locked_datastore_is_left_as_it_is() throws Exception {
    cluster.put(
        new ClusterInformation(
            Metadata.named("default"),
            new ClusterInformationSpec("guid", null, null, false, null, Map.of())));
    long revision = store.revision();
    collector.round(n0, Mode.ON);
    GarbageCollector.Round round = later(Mode.ON);
    assertThat(round.locked()).isTrue();
    assertThat(round.decision().count(Outcome.RELEASE)).isEqualTo(1);
    assertThat(store.revision()).isEqualTo(revision);
  }

  @Test
  void a_round_frees_no_more_than_it_may() throws Exception {
    cluster.deleteNode("n1");
    collector =
        new GarbageCollector(
            store,
            () -> IpamState.read(store),
            () -> now,
            new GarbageLimits(GarbageLimits.DEFAULT.grace(), 2, 2, 1));
    collector.round(n0, Mode.ON);
    assertThat(later(Mode.ON).released()).hasSize(2);
    assertThat(collector.round(n0, Mode.ON).released()).hasSize(2);
    assertThat(collector.round(n0, Mode.ON).released()).isEmpty();
  }
}
