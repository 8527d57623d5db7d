package io.margay.ipam.care;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreSettings;
import io.margay.datastore.etcd.EtcdDatastore;
import io.margay.datastore.testing.EtcdProcess;
import io.margay.ipam.IpamKeys;
import io.margay.ipam.care.GarbageCollector.Mode;
import io.margay.model.net.IpAddress;
import io.margay.model.resource.ClusterInformation;
import io.margay.model.resource.ClusterInformationSpec;
import io.margay.model.resource.Metadata;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.io.TempDir;

/// Check, repair, garbage collection and split on a real etcd.
@Tag("etcd")
class CareEtcdTest {

  @TempDir private Path directory;

  private EtcdProcess etcd;
  private Datastore store;
  private Instant now = Cluster.BIRTH;

  @BeforeEach
  void start() throws Exception {
    etcd = new EtcdProcess(directory);
    store = EtcdDatastore.open(DatastoreSettings.of(etcd.endpoint()));
  }

  @AfterEach
  void stop() {
    store.close();
    etcd.close();
  }

  private long revision() throws Exception {
    return store.list("/calico/").revision();
  }

  @Test
  void damage_of_every_repairable_kind_is_repaired_and_a_second_repair_writes_nothing()
      throws Exception {
    Cluster cluster = Cluster.of(store, 4, 12);
    assertThat(cluster.check().findings()).isEmpty();
    Map<IpAddress, String> before = cluster.held();
    Random random = new Random(42);
    for (Damage damage :
        Stream.of(Damage.values())
            .filter(one -> one.isRepairable && one != Damage.A_HOLDER_FORGOTTEN)
            .toList()) {
      try {
        damage.inflict(cluster, random);
      } catch (IllegalArgumentException unreadable) {
        // The damage before it left nothing to damage this way.
      }
    }
    assertThat(cluster.check().findings()).hasSizeGreaterThan(10);

    assertThat(cluster.repair().left()).isEmpty();

    assertThat(cluster.held()).isEqualTo(before);
    long revision = revision();
    assertThat(cluster.repair().repaired()).isEmpty();
    assertThat(revision()).isEqualTo(revision);
  }

  @Test
  void leaks_and_a_vanished_node_are_collected_and_nothing_else() throws Exception {
    Cluster cluster = Cluster.of(store, 3, 6);
    Map<IpAddress, String> expected = cluster.held();
    expected
        .values()
        .removeIf(handle -> handle.equals(Cluster.handle("p0x2")) || handle.contains("." + "cp2x"));
    cluster.delete(Cluster.endpointKey("n0", "p0x2"));
    cluster.deleteNode("n2");
    Set<String> here =
        Set.of(
            Cluster.handle("p0x0"),
            Cluster.handle("p0x1"),
            Cluster.handle("p0x3"),
            Cluster.handle("p0x4"),
            Cluster.handle("p0x5"));
    GarbageRole role =
        new GarbageRole(
            Optional.of(new NodeWitness("n0", here, Set.of(), Set.of(), true)), true, Set.of());
    GarbageCollector collector =
        new GarbageCollector(store, () -> IpamState.read(store), () -> now, GarbageLimits.DEFAULT);
    collector.round(role, Mode.ON);
    now = now.plus(GarbageLimits.DEFAULT.grace());
    collector.round(role, Mode.ON);
    collector.round(role, Mode.ON);

    assertThat(cluster.held()).isEqualTo(expected);
    assertThat(store.list(IpamKeys.affinities("n2")).items()).isEmpty();
    assertThat(cluster.check().findings()).isEmpty();
    long revision = revision();
    collector.round(role, Mode.ON);
    assertThat(revision()).isEqualTo(revision);
  }

  @Test
  void a_pool_is_split_into_as_many_parts_as_one_transaction_holds() throws Exception {
    Cluster cluster = Cluster.of(store, 2, 3);
    cluster.put(
        new ClusterInformation(
            Metadata.named("default"),
            new ClusterInformationSpec("guid", null, null, false, null, Map.of())));
    PoolSplit.Result result =
        PoolSplit.run(
            store,
            () -> now,
            pool -> pool.metadata().name().equals("v4"),
            "v4",
            PoolSplit.MAX_PARTS);
    assertThat(((PoolSplit.Result.Done) result).parts()).hasSize(64);
    assertThat(cluster.check().findings()).isEmpty();
  }

  /// What the figures in docs/ipam.md come from; nothing is asserted of time.
  @Test
  void a_large_cluster_is_checked(TestReporter reporter) throws Exception {
    Cluster cluster = Cluster.of(store, 2, 2);
    int pods = LargeCluster.fill(store, 100, 100);
    System.gc();
    long before = used();
    long start = System.nanoTime();
    IpamState state = IpamState.read(store);
    IpamReport report = IpamCheck.check(state, Optional.of(now));
    long millis = (System.nanoTime() - start) / 1_000_000;
    System.gc();
    long held = used() - before;
    assertThat(report.findings()).isEmpty();
    assertThat(report.allocatedCount()).isEqualTo(cluster.held().size()).isGreaterThan(pods);
    assertThat(state.usesOf(List.copyOf(cluster.held().keySet()).getFirst())).isNotNull();
    reporter.publishEntry(
        pods + " pods read and checked", millis + " ms, state holds " + (held >> 20) + " MiB");
  }

  private static long used() {
    return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
  }
}
