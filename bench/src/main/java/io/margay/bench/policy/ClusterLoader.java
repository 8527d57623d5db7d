package io.margay.bench.policy;

import io.margay.datastore.DatastoreException;
import io.margay.datastore.DatastoreSettings;
import io.margay.datastore.Txn;
import io.margay.datastore.etcd.EtcdDatastore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/// Writes the documents of a large cluster into an etcd, for a real agent to follow:
/// `bench/agent/run.sh` runs it.
public final class ClusterLoader {

  private static final int DOCUMENTS_A_TXN = 100;

  private final PolicyWorld world;
  private final EtcdDatastore store;
  private Txn.Builder txn = Txn.builder();
  private int waiting;

  private ClusterLoader(PolicyWorld world, EtcdDatastore store) {
    this.world = world;
    this.store = store;
  }

  /// @param arguments the store's address; the numbers of endpoints, policies and local endpoints;
  ///   then nothing, to write them all, or how many endpoints to change a second and for how many
  ///   seconds
  public static void main(String[] arguments) throws Exception {
    PolicyWorld world =
        new PolicyWorld(
            Integer.parseInt(arguments[1]),
            Integer.parseInt(arguments[2]),
            Integer.parseInt(arguments[3]));
    try (EtcdDatastore store = EtcdDatastore.open(DatastoreSettings.of(arguments[0]))) {
      ClusterLoader loader = new ClusterLoader(world, store);
      if (arguments.length > 4) {
        loader.change(Integer.parseInt(arguments[4]), Integer.parseInt(arguments[5]));
      } else {
        loader.load();
      }
    }
  }

  private void load() throws DatastoreException {
    long began = System.nanoTime();
    for (int i = 0; i < PolicyWorld.NAMESPACES; i++) {
      put(world.namespace(i));
    }
    for (int i = 0; i < world.policies(); i++) {
      put(world.policy(i));
    }
    for (int i = 0; i < world.endpoints(); i++) {
      put(world.endpoint(i, 0));
    }
    flush();
    System.out.printf(
        "loaded %d endpoints and %d policies in %d ms%n",
        world.endpoints(),
        world.policies(),
        TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began));
  }

  /// Endpoints one after the other, ten in a transaction, evenly over each second.
  private void change(int rate, int seconds) throws DatastoreException {
    int group = 10;
    long began = System.nanoTime();
    for (int written = 0; written < rate * seconds; written += group) {
      for (int i = 0; i < group; i++) {
        int change = written + i;
        put(world.endpoint((change * 31) % world.endpoints(), 1 + change / world.endpoints()));
      }
      flush();
      long due = began + TimeUnit.SECONDS.toNanos(1) * (written + group) / rate;
      LockSupport.parkNanos(due - System.nanoTime());
    }
    double took = (System.nanoTime() - began) / 1e9;
    System.out.printf("changed %d endpoints, %.0f/s%n", rate * seconds, rate * seconds / took);
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
