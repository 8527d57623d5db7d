package io.margay.bench.policy;

import io.margay.bench.policy.ClusterWorld.Change;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.DatastoreSettings;
import io.margay.datastore.Txn;
import io.margay.datastore.etcd.EtcdDatastore;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/// Writes the documents of a large cluster into an etcd, for a real agent to follow:
/// `bench/agent/run.sh` runs it.
public final class ClusterLoader {

  private static final int DOCUMENTS_A_TXN = 100;

  /// Changes in a transaction while an agent follows: of ten, five are an endpoint's label, four a
  /// block, one a node.
  private static final int GROUP = 10;

  private static final int ENDPOINTS_A_GROUP = 5;
  private static final int BLOCKS_A_GROUP = 4;

  /// Of so many changes of blocks and nodes one is [Change#LARGE].
  private static final int LARGE_EVERY = 20;

  /// The agent's time to apply the last.
  private static final long REST_MILLIS = 2000;

  private final ClusterWorld world;
  private final List<List<Integer>> endpointsByNode;
  private final EtcdDatastore store;
  private Txn.Builder txn = Txn.builder();
  private int waiting;

  private ClusterLoader(ClusterWorld world, EtcdDatastore store) {
    this.world = world;
    this.endpointsByNode = world.endpointsByNode();
    this.store = store;
  }

  /// @param arguments the store's address; the numbers of nodes, endpoints, policies and local
  ///   endpoints; `vxlan` or `plain`; then nothing, to write them all, or how many changes a
  ///   second, for how many seconds, and the program of [AppliedWatch]
  public static void main(String[] arguments) throws Exception {
    ClusterWorld world =
        ClusterWorld.of(
            Integer.parseInt(arguments[1]),
            Integer.parseInt(arguments[2]),
            Integer.parseInt(arguments[3]),
            Integer.parseInt(arguments[4]),
            arguments[5].equals("vxlan"));
    try (EtcdDatastore store = EtcdDatastore.open(DatastoreSettings.of(arguments[0]))) {
      ClusterLoader loader = new ClusterLoader(world, store);
      if (arguments.length > 6) {
        loader.change(Integer.parseInt(arguments[6]), Integer.parseInt(arguments[7]), arguments[8]);
      } else {
        loader.load();
      }
    }
  }

  private void load() throws DatastoreException {
    long began = System.nanoTime();
    for (PolicyWorld.Document document : world.settings()) {
      put(document);
    }
    for (int i = 0; i < PolicyWorld.NAMESPACES; i++) {
      put(world.pods().namespace(i));
    }
    for (int i = 0; i < world.pods().policies(); i++) {
      put(world.pods().policy(i));
    }
    for (int i = 0; i < world.pods().endpoints(); i++) {
      put(world.pods().endpoint(i, 0));
    }
    for (int node = 0; node < world.nodes(); node++) {
      put(world.node(node, Change.NONE, 0));
      for (PolicyWorld.Document document : world.addresses(node, endpointsByNode.get(node))) {
        put(document);
      }
    }
    flush();
    System.out.printf(
        "loaded %d nodes, %d endpoints and %d policies in %d ms%n",
        world.nodes(),
        world.pods().endpoints(),
        world.pods().policies(),
        TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began));
  }

  /// Groups of changes one after the other, evenly over each second.
  private void change(int rate, int seconds, String program)
      throws DatastoreException, IOException, InterruptedException {
    try (AppliedWatch applied = new AppliedWatch(program)) {
      Thread.sleep(REST_MILLIS);
      long began = System.nanoTime();
      long inStore = 0;
      int groups = rate * seconds / GROUP;
      for (int group = 0; group < groups; group++) {
        changeOnce(group, applied);
        long before = System.nanoTime();
        flush();
        inStore += System.nanoTime() - before;
        long due = began + TimeUnit.SECONDS.toNanos(1) * (group + 1) * GROUP / rate;
        LockSupport.parkNanos(due - System.nanoTime());
      }
      double took = (System.nanoTime() - began) / 1e9;
      System.out.printf(
          Locale.ROOT,
          "changed %d documents, %.0f/s, a transaction of %d took %.1f ms%n",
          groups * GROUP,
          groups * GROUP / took,
          GROUP,
          inStore / 1e6 / groups);
      Thread.sleep(REST_MILLIS);
      applied.print();
    }
  }

  private void changeOnce(int group, AppliedWatch applied) throws DatastoreException {
    for (int i = 0; i < ENDPOINTS_A_GROUP; i++) {
      int change = group * ENDPOINTS_A_GROUP + i;
      int endpoint = (int) (change * 31L % world.pods().endpoints());
      applied.expect(world.pods().address(endpoint));
      put(world.pods().endpoint(endpoint, 1 + change / world.pods().endpoints()));
    }
    for (int i = 0; i < BLOCKS_A_GROUP; i++) {
      int change = group * BLOCKS_A_GROUP + i;
      int node = nodeOf(change);
      if (kindOf(change) == Change.LARGE) {
        applied.expect(world.blockOf(node).toString());
      }
      put(world.block(node, 0, endpointsByNode.get(node), kindOf(change), 1 + change));
    }
    put(world.node(nodeOf(group), kindOf(group), 1 + group));
  }

  /// Any but the first.
  private int nodeOf(int change) {
    return 1 + change * 7 % (world.nodes() - 1);
  }

  private static Change kindOf(int change) {
    return change % LARGE_EVERY == 0 ? Change.LARGE : Change.SMALL;
  }

  private void put(PolicyWorld.Document document) throws DatastoreException {
    txn.put(document.key(), document.value());
    if (++waiting == DOCUMENTS_A_TXN) {
      flush();
    }
  }

  private void flush() throws DatastoreException {
    if (waiting > 0) {
      store.commit(txn.build());
      txn = Txn.builder();
      waiting = 0;
    }
  }
}
