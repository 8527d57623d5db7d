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

/// A store that counts calls and, if asked, lets other writers in first, loses answers, loses
/// requests, and dies: from some call on, done or not, nothing is heard of it any more.
final class FaultyDatastore implements Datastore {

  private final Datastore real;
  private final Random random;
  private final double conflictRate;
  private final double lossRate;
  private final double deathRate;
  private final AtomicInteger inFlight = new AtomicInteger();
  private volatile boolean dead;
  final AtomicInteger reads = new AtomicInteger();
  final AtomicInteger commits = new AtomicInteger();
  final AtomicInteger conflicts = new AtomicInteger();
  final AtomicInteger losses = new AtomicInteger();
  volatile Runnable beforeNextCommit = () -> {};

  FaultyDatastore(Datastore real, long seed, double conflictRate, double lossRate) {
    this(real, seed, conflictRate, lossRate, 0);
  }

  FaultyDatastore(
      Datastore real, long seed, double conflictRate, double lossRate, double deathRate) {
    this.deathRate = deathRate;
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

  boolean isDead() {
    return dead;
  }

  /// Makes everything from now on fail, and waits for what is under way.
  void die() {
    dead = true;
    while (inFlight.get() > 0) {
      Thread.onSpinWait();
    }
  }

  private void mayDie() throws DatastoreException {
    if (!dead && deathRate > 0 && draw() < deathRate) {
      dead = true;
    }
    if (dead) {
      throw new DatastoreException(
          DatastoreException.Kind.UNREACHABLE, "faulty", "the process is dead");
    }
  }

  @Override
  public Optional<KeyValue> get(String key) throws DatastoreException {
    reads.incrementAndGet();
    mayDie();
    return real.get(key);
  }

  @Override
  public Listing getAll(List<String> keys) throws DatastoreException {
    reads.incrementAndGet();
    mayDie();
    return real.getAll(keys);
  }

  @Override
  public Listing list(String prefix) throws DatastoreException {
    reads.incrementAndGet();
    mayDie();
    return real.list(prefix);
  }

  @Override
  public CommitResult commit(Txn txn) throws DatastoreException {
    inFlight.incrementAndGet();
    try {
      return tryCommit(txn);
    } finally {
      inFlight.decrementAndGet();
    }
  }

  private CommitResult tryCommit(Txn txn) throws DatastoreException {
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
    if (dead) {
      mayDie();
    }
    CommitResult result = real.commit(txn);
    // A death after the commit: the store has it, nobody knows.
    mayDie();
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
