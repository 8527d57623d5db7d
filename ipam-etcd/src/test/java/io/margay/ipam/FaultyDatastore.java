package io.margay.ipam;

import io.margay.datastore.CommitResult;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Listing;
import io.margay.datastore.Txn;
import io.margay.datastore.Watch;
import io.margay.datastore.WatchListener;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;

/// A store that counts calls and, if asked, lets other writers in first, loses answers and loses
/// requests.
final class FaultyDatastore implements Datastore {

  private final Datastore real;
  private final Random random;
  private final double conflictRate;
  private final double lossRate;
  final AtomicInteger reads = new AtomicInteger();
  final AtomicInteger commits = new AtomicInteger();
  final AtomicInteger conflicts = new AtomicInteger();
  final AtomicInteger losses = new AtomicInteger();
  volatile Runnable beforeNextCommit = () -> {};

  FaultyDatastore(Datastore real, long seed, double conflictRate, double lossRate) {
    this.real = real;
    this.random = new Random(seed);
    this.conflictRate = conflictRate;
    this.lossRate = lossRate;
  }

  static FaultyDatastore counting(Datastore real) {
    return new FaultyDatastore(real, 0, 0, 0);
  }

  int roundTrips() {
    return reads.get() + commits.get();
  }

  private synchronized double draw() {
    return random.nextDouble();
  }

  @Override
  public Optional<KeyValue> get(String key) throws DatastoreException {
    reads.incrementAndGet();
    return real.get(key);
  }

  @Override
  public Listing getAll(List<String> keys) throws DatastoreException {
    reads.incrementAndGet();
    return real.getAll(keys);
  }

  @Override
  public Listing list(String prefix) throws DatastoreException {
    reads.incrementAndGet();
    return real.list(prefix);
  }

  @Override
  public CommitResult commit(Txn txn) throws DatastoreException {
    commits.incrementAndGet();
    Runnable intruder = beforeNextCommit;
    beforeNextCommit = () -> {};
    intruder.run();
    if (draw() < conflictRate && !txn.conditions().isEmpty()) {
      rewrite(txn.conditions().getFirst().key());
    }
    if (draw() < lossRate) {
      losses.incrementAndGet();
      if (draw() < 0.5) {
        real.commit(txn);
      }
      throw new DatastoreException(
          DatastoreException.Kind.DEADLINE, "faulty", "the answer was lost");
    }
    CommitResult result = real.commit(txn);
    if (result instanceof CommitResult.Conflict) {
      conflicts.incrementAndGet();
    }
    return result;
  }

  /// Another writer that changes nothing but the revision.
  private void rewrite(String key) throws DatastoreException {
    Optional<KeyValue> item = real.get(key);
    if (item.isPresent()) {
      real.commit(Txn.replace(item.get(), item.get().value()));
    }
  }

  @Override
  public Watch watch(String prefix, long fromRevision, WatchListener listener) {
    return real.watch(prefix, fromRevision, listener);
  }

  @Override
  public void close() {
    real.close();
  }
}
