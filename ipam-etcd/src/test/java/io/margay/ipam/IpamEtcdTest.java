package io.margay.ipam;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreSettings;
import io.margay.datastore.etcd.EtcdDatastore;
import io.margay.datastore.testing.EtcdProcess;
import io.margay.ipam.care.IpamCheck;
import io.margay.model.net.Prefix;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.io.TempDir;

@Tag("etcd")
class IpamEtcdTest {

  private static final Pools POOLS =
      Pools.of(
          Pool.of("v4", Prefix.parse("10.8.0.0/16"), 26),
          Pool.of("v6", Prefix.parse("fd00:8::/64"), 122));

  @TempDir private Path directory;

  private EtcdProcess etcd;
  private Datastore store;

  @BeforeEach
  void start(TestInfo info) throws Exception {
    assertThat(info.getTags()).contains("etcd");
    etcd = new EtcdProcess(directory, "--unsafe-no-fsync");
    store = EtcdDatastore.open(DatastoreSettings.of(etcd.endpoint()));
  }

  @AfterEach
  void stop() {
    store.close();
    etcd.close();
  }

  /// 150 nodes with 10 pods each, 30 of them Calico's way, 10 removed in the end, over ten
  /// connections; processes die at one call in a hundred.
  @Test
  void the_hammer_leaves_no_duplicate_and_no_leak(TestReporter reporter) throws Exception {
    long seed = Long.getLong("seed", System.nanoTime() & 0xffff);
    List<Datastore> connections = new ArrayList<>();
    try {
      for (int i = 0; i < 10; i++) {
        connections.add(EtcdDatastore.open(DatastoreSettings.of(etcd.endpoint())));
      }
      IpamHammer hammer =
          new IpamHammer(
              store, POOLS, new IpamHammer.Shape(150, 30, 10, 10, 2, 0.02, 0.01, 0.01, 0.1), seed);
      long before = System.nanoTime();
      hammer.run(node -> connections.get(Math.floorMod(node.hashCode(), connections.size())));
      hammer.verify();
      reporter.publishEntry(
          "hammer", hammer + ", " + (System.nanoTime() - before) / 1_000_000 + " ms");
      assertThat(hammer.assigned).as("seed %d", seed).hasValue(3000);
    } finally {
      connections.forEach(Datastore::close);
    }
  }

  @Test
  void round_trips_per_address_are_one_alone_and_a_fraction_in_company(TestReporter reporter)
      throws Exception {
    FaultyDatastore counted = FaultyDatastore.counting(store);
    try (Ipam ipam = new Ipam(counted, Instant::now, POOLS)) {
      ipam.assign(request("warm"));
      int alone = trips(ipam, counted, 1, 50);
      int company = trips(ipam, counted, 64, 4);
      reporter.publishEntry("round trips of 50 requests by one caller", Integer.toString(alone));
      reporter.publishEntry("round trips of 256 requests by 64 callers", Integer.toString(company));
      // 50 dual-stack requests: the blocks of 64 hold, so each is exactly one transaction.
      assertThat(alone).isEqualTo(50);
      assertThat(company).isLessThan(256 / 4);
      assertThat(IpamCheck.run(store).allocatedCount()).isEqualTo(2 * (1 + 50 + 256));
    }
  }

  private static int trips(Ipam ipam, FaultyDatastore counted, int callers, int each)
      throws Exception {
    int before = counted.roundTrips();
    List<Future<?>> running = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int caller = 0; caller < callers; caller++) {
        String name = callers + "-" + caller;
        running.add(
            threads.submit(
                () -> {
                  for (int i = 0; i < each; i++) {
                    assertThat(ipam.assign(request(name + "-" + i)))
                        .isInstanceOf(AssignResult.Assigned.class);
                  }
                  return null;
                }));
      }
      for (Future<?> future : running) {
        future.get();
      }
    }
    return counted.roundTrips() - before;
  }

  private static AssignRequest request(String handle) {
    return new AssignRequest(
        "net." + handle, "n1", 1, 1, Map.of("node", "n1"), List.of(), SameTxn.nothing());
  }
}
