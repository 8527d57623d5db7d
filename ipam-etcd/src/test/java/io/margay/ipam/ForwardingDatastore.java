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

/// Another store's answers, to be bent in places.
public class ForwardingDatastore implements Datastore {

  private final Datastore real;

  public ForwardingDatastore(Datastore real) {
    this.real = real;
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
    return real.commit(txn);
  }

  @Override
  public Watch watch(String prefix, long fromRevision, WatchListener listener) {
    return real.watch(prefix, fromRevision, listener);
  }

  @Override
  public void close() {}
}
