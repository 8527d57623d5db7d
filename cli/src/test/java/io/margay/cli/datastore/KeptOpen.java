package io.margay.cli.datastore;

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

/// A store that outlives the command that closes it.
class KeptOpen implements Datastore {

  private final Datastore store;

  KeptOpen(Datastore store) {
    this.store = store;
  }

  @Override
  public Optional<KeyValue> get(String key) throws DatastoreException {
    return store.get(key);
  }

  @Override
  public Listing getAll(List<String> keys) throws DatastoreException {
    return store.getAll(keys);
  }

  @Override
  public Listing list(String prefix) throws DatastoreException {
    return store.list(prefix);
  }

  @Override
  public Listing page(String prefix, String after, int limit, long revision)
      throws DatastoreException {
    return store.page(prefix, after, limit, revision);
  }

  @Override
  public CommitResult commit(Txn txn) throws DatastoreException {
    return store.commit(txn);
  }

  @Override
  public Watch watch(String prefix, long fromRevision, WatchListener listener) {
    return store.watch(prefix, fromRevision, listener);
  }

  @Override
  public void close() {}
}
