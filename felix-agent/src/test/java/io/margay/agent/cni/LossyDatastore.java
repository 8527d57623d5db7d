package io.margay.agent.cni;

import io.margay.datastore.CommitResult;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Listing;
import io.margay.datastore.Txn;
import io.margay.datastore.Watch;
import io.margay.datastore.WatchListener;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/// A store that keeps the transactions it was given and loses answers when told to.
final class LossyDatastore implements Datastore {

  private final Datastore real;
  private final List<Txn> committed = new CopyOnWriteArrayList<>();
  private final AtomicInteger answersToLose = new AtomicInteger();
  private volatile Before before = () -> {};

  /// Another writer.
  interface Before {
    void write() throws DatastoreException;
  }

  LossyDatastore(Datastore real) {
    this.real = real;
  }

  /// Every transaction that took effect, in order.
  List<Txn> committed() {
    return new ArrayList<>(committed);
  }

  /// The next transactions take effect, but nobody learns of it.
  void loseAnswers(int count) {
    answersToLose.set(count);
  }

  /// Somebody else writes just before the next transaction.
  void beforeNextCommit(Before writer) {
    before = writer;
  }

  @Override
  public Optional<KeyValue> get(String key) throws DatastoreException {
    return real.get(key);
  }

  @Override
  public Listing getAll(List<String> keys) throws DatastoreException {
    return real.getAll(keys);
  }

  @Override
  public Listing list(String prefix) throws DatastoreException {
    return real.list(prefix);
  }

  @Override
  public CommitResult commit(Txn txn) throws DatastoreException {
    Before writer = before;
    before = () -> {};
    writer.write();
    CommitResult result = real.commit(txn);
    if (result instanceof CommitResult.Committed) {
      committed.add(txn);
      if (answersToLose.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
        throw new DatastoreException(DatastoreException.Kind.DEADLINE, "lossy", "no answer");
      }
    }
    return result;
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
