package io.margay.bench.ipam;

import io.margay.datastore.CommitResult;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.DatastoreSettings;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Listing;
import io.margay.datastore.Txn;
import io.margay.datastore.etcd.EtcdDatastore;
import io.margay.datastore.testing.EtcdProcess;
import io.margay.ipam.AssignRequest;
import io.margay.ipam.AssignResult;
import io.margay.ipam.Assignment;
import io.margay.ipam.CalicoNode;
import io.margay.ipam.ForwardingDatastore;
import io.margay.ipam.Ipam;
import io.margay.ipam.Pool;
import io.margay.ipam.Pools;
import io.margay.ipam.SameTxn;
import io.margay.ipam.care.IpamCheck;
import io.margay.ipam.care.IpamReport;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;

/// Addresses per second, their latency and their etcd calls. Each line starts on an etcd of its
/// own; afterwards the checker must find nothing.
public final class IpamBench {

  private static final int[] CALLERS = {1, 8, 64};
  private static final int[] NODES = {1, 50};
  private static final int CONNECTIONS = 8;
  private static final int WARM_UP = 200;
  private static final String ENDPOINTS = IpamCheck.ENDPOINTS + "ns/";

  private static final Pools POOLS = Pools.of(Pool.of("v4", Prefix.parse("10.0.0.0/12"), 26));

  private final Path directory;
  private final int addresses = Integer.parseInt(System.getenv().getOrDefault("ADDRESSES", "2000"));

  private IpamBench(Path directory) {
    this.directory = directory;
  }

  public static void main(String[] arguments) throws Exception {
    new IpamBench(Path.of(arguments[0])).run();
  }

  private void run() throws Exception {
    System.out.println("ipam: one IPv4 address, its handle and its endpoint each");
    System.out.printf(
        "%-22s %5s %7s %9s %9s %9s %11s%n",
        "", "nodes", "callers", "per s", "p50 ms", "p99 ms", "calls each");
    for (int nodes : NODES) {
      for (int callers : CALLERS) {
        measure("ours", nodes, callers, addresses, this::ours);
        measure("Calico's steps", nodes, callers, addresses / 4, this::calicos);
      }
    }
  }

  /// Gives one address to one pod on one node.
  private interface Allocator {
    void assign(int node, String pod) throws Exception;
  }

  private interface Maker {
    Allocator make(List<Datastore> stores, int nodes, List<AutoCloseable> opened);
  }

  private void measure(String name, int nodes, int callers, int count, Maker maker)
      throws Exception {
    Path data = Files.createTempDirectory(directory, "etcd");
    AtomicLong calls = new AtomicLong();
    List<AutoCloseable> opened = new ArrayList<>();
    try (EtcdProcess etcd = new EtcdProcess(data)) {
      List<Datastore> stores = new ArrayList<>();
      for (int i = 0; i < CONNECTIONS; i++) {
        Datastore real = EtcdDatastore.open(DatastoreSettings.of(etcd.endpoint()));
        opened.add(real);
        stores.add(new Counting(real, calls));
      }
      Allocator allocator = maker.make(stores, nodes, opened);
      drive(allocator, nodes, Math.min(callers, 8), Math.max(WARM_UP, nodes), "warm");
      calls.set(0);
      long started = System.nanoTime();
      long[] nanos = drive(allocator, nodes, callers, count, "pod");
      double seconds = (System.nanoTime() - started) / 1e9;
      Arrays.sort(nanos);
      System.out.printf(
          Locale.ROOT,
          "%-22s %5d %7d %9.0f %9.2f %9.2f %11.3f%n",
          name,
          nodes,
          callers,
          count / seconds,
          nanos[count / 2] / 1e6,
          nanos[(int) (count * 0.99)] / 1e6,
          (double) calls.get() / count);
      IpamReport report = IpamCheck.run(stores.getFirst());
      if (!report.findings().isEmpty()
          || report.allocatedCount() != count + Math.max(WARM_UP, nodes)) {
        throw new IllegalStateException(
            name + " left " + report.allocatedCount() + " addresses and " + report.findings());
      }
    } finally {
      for (AutoCloseable each : opened.reversed()) {
        each.close();
      }
    }
  }

  /// `callers` threads share `count` pods, spread over the nodes.
  private static long[] drive(Allocator allocator, int nodes, int callers, int count, String prefix)
      throws Exception {
    long[] nanos = new long[count];
    AtomicInteger next = new AtomicInteger();
    List<Future<?>> running = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int caller = 0; caller < callers; caller++) {
        running.add(
            threads.submit(
                () -> {
                  for (int i = next.getAndIncrement(); i < count; i = next.getAndIncrement()) {
                    long before = System.nanoTime();
                    allocator.assign(i % nodes, prefix + i);
                    nanos[i] = System.nanoTime() - before;
                  }
                  return null;
                }));
      }
      for (Future<?> future : running) {
        future.get();
      }
    }
    return nanos;
  }

  private static String document(IpAddress address) {
    return "{\"spec\":{\"ipNetworks\":[\"" + address + "\"]}}";
  }

  private Allocator ours(List<Datastore> stores, int nodes, List<AutoCloseable> opened) {
    List<Ipam> ipams = new ArrayList<>();
    for (int node = 0; node < nodes; node++) {
      Ipam ipam = new Ipam(stores.get(node % stores.size()), Instant::now, POOLS);
      opened.add(ipam);
      ipams.add(ipam);
    }
    return (node, pod) -> {
      AssignResult result =
          ipams
              .get(node)
              .assign(
                  new AssignRequest(
                      "net." + pod,
                      "n" + node,
                      1,
                      0,
                      Map.of("pod", pod, "namespace", "ns", "node", "n" + node),
                      List.of(),
                      held ->
                          new SameTxn.Extras(
                              List.of(new Txn.Condition.Absent(ENDPOINTS + pod)),
                              List.of(
                                  new Txn.Write.Put(
                                      ENDPOINTS + pod, document(held.getFirst().address()))))));
      if (!(result instanceof AssignResult.Assigned(List<Assignment> assignments, long _))
          || assignments.size() != 1) {
        throw new IllegalStateException(pod + ": " + result);
      }
    };
  }

  private Allocator calicos(List<Datastore> stores, int nodes, List<AutoCloseable> opened) {
    List<ReentrantLock> locks = new ArrayList<>();
    for (int node = 0; node < nodes; node++) {
      locks.add(new ReentrantLock());
    }
    return (node, pod) -> {
      Datastore store = stores.get(node % stores.size());
      locks.get(node).lock();
      try {
        List<IpAddress> found =
            new CalicoNode(store, "n" + node, POOLS, Instant::now)
                .autoAssign(
                    "net." + pod,
                    IpFamily.IPV4,
                    1,
                    Map.of("pod", pod, "namespace", "ns", "node", "n" + node));
        if (found.size() != 1) {
          throw new IllegalStateException(pod + ": " + found);
        }
        store.commit(Txn.create(ENDPOINTS + pod, document(found.getFirst())));
      } finally {
        locks.get(node).unlock();
      }
    };
  }

  /// Counts requests.
  private static final class Counting extends ForwardingDatastore {
    private final AtomicLong calls;

    Counting(Datastore real, AtomicLong calls) {
      super(real);
      this.calls = calls;
    }

    @Override
    public Optional<KeyValue> get(String key) throws DatastoreException {
      calls.incrementAndGet();
      return super.get(key);
    }

    @Override
    public Listing getAll(List<String> keys) throws DatastoreException {
      calls.incrementAndGet();
      return super.getAll(keys);
    }

    @Override
    public Listing list(String prefix) throws DatastoreException {
      calls.incrementAndGet();
      return super.list(prefix);
    }

    @Override
    public CommitResult commit(Txn txn) throws DatastoreException {
      calls.incrementAndGet();
      return super.commit(txn);
    }
  }
}
