package io.margay.ipam;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.Txn;
import io.margay.ipam.care.IpamCheck;
import io.margay.ipam.care.IpamReport;
import io.margay.model.net.IpAddress;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

/// Many nodes, many pods, one store: starts and stops pods at random, fails some, and in the end
/// compares what the pods were told with what the store says.
final class IpamHammer {

  private final Datastore shared;
  private final Pools pools;
  private final Map<IpAddress, String> live = new ConcurrentHashMap<>();
  final AtomicInteger assigned = new AtomicInteger();
  final AtomicInteger released = new AtomicInteger();
  final AtomicInteger failed = new AtomicInteger();

  IpamHammer(Datastore shared, Pools pools) {
    this.shared = shared;
    this.pools = pools;
  }

  /// Each node has its own IPAM over `store.open(node)` and `pods` callers, each living through
  /// `lives` pods.
  void run(
      int nodes, int pods, int lives, long seed, java.util.function.IntFunction<Datastore> open)
      throws Exception {
    List<Ipam> ipams = new ArrayList<>();
    List<Future<?>> running = new ArrayList<>();
    try (ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int node = 0; node < nodes; node++) {
        Ipam ipam = new Ipam(open.apply(node), Instant::now, pools);
        ipams.add(ipam);
        for (int pod = 0; pod < pods; pod++) {
          String name = "n" + node + "-p" + pod;
          String nodeName = "n" + node;
          Random random = new Random(seed * 1000 + node * 100L + pod);
          running.add(
              callers.submit(
                  () -> {
                    for (int life = 0; life < lives; life++) {
                      live(
                          ipam,
                          nodeName,
                          name + "-" + life,
                          life == lives - 1 && random.nextBoolean());
                    }
                    return null;
                  }));
        }
      }
      for (Future<?> future : running) {
        future.get();
      }
    } finally {
      ipams.forEach(Ipam::close);
    }
  }

  private void live(Ipam ipam, String node, String pod, boolean stays) throws Exception {
    String handle = "net." + pod;
    String endpoint = IpamCheck.ENDPOINTS + "ns/" + pod;
    AssignRequest request =
        new AssignRequest(
            handle,
            node,
            1,
            1,
            Map.of("pod", pod, "namespace", "ns", "node", node),
            List.of(),
            held ->
                new SameTxn.Extras(
                    List.of(),
                    List.of(
                        new Txn.Write.Put(
                            endpoint,
                            "{\"spec\":{\"ipNetworks\":[\""
                                + held.getFirst().address()
                                + "\",\""
                                + held.getLast().address()
                                + "\"]}}"))));
    AssignResult result = untilAnswered(() -> ipam.assign(request));
    assertThat(result).isInstanceOf(AssignResult.Assigned.class);
    List<Assignment> held = ((AssignResult.Assigned) result).assignments();
    assertThat(held).hasSize(2);
    for (Assignment assignment : held) {
      assertThat(live.put(assignment.address(), pod))
          .as("%s is live twice", assignment.address())
          .isNull();
    }
    assigned.incrementAndGet();
    if (!stays) {
      held.forEach(assignment -> live.remove(assignment.address()));
      ReleaseResult gone =
          untilAnswered(
              () ->
                  ipam.releaseByHandle(
                      handle,
                      new SameTxn.Extras(List.of(), List.of(new Txn.Write.Delete(endpoint)))));
      assertThat(gone).isInstanceOf(ReleaseResult.Released.class);
      released.incrementAndGet();
    }
  }

  private interface Call<R> {
    R run() throws DatastoreException;
  }

  private <R> R untilAnswered(Call<R> call) throws DatastoreException {
    DatastoreException last = null;
    for (int attempt = 0; attempt < 200; attempt++) {
      try {
        return call.run();
      } catch (DatastoreException lost) {
        failed.incrementAndGet();
        last = lost;
      }
    }
    throw new AssertionError("never answered", last);
  }

  /// The store's own word against the pods'.
  void verify() throws DatastoreException {
    IpamReport report = IpamCheck.run(shared);
    assertThat(report.findings()).isEmpty();
    Map<IpAddress, String> stored = new HashMap<>();
    for (io.margay.datastore.KeyValue item : shared.list(IpamKeys.BLOCKS).items()) {
      Block.parse(item.key(), item.value())
          .allocated()
          .forEach(held -> stored.put(held.address(), held.holder().secondary().get("pod")));
    }
    assertThat(stored).isEqualTo(live);
  }

  int liveCount() {
    return live.size();
  }
}
