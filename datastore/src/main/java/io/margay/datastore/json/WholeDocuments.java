package io.margay.datastore.json;

import io.margay.datastore.CommitResult;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Txn;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Documents of Kubernetes that are stored as they are, each under a key of ours: Pods and
/// EndpointSlices. Every write is a compare-and-swap.
public final class WholeDocuments {

  /// Tries of one write while others keep changing the same document.
  static final int MAX_ATTEMPTS = 8;

  private final Datastore datastore;

  public WholeDocuments(Datastore datastore) {
    this.datastore = datastore;
  }

  /// How a write ended.
  public enum Outcome {
    CREATED,
    REPLACED,
    /// The store already was as wanted.
    UNCHANGED,
    DELETED,
    /// There is no such document; nothing was written.
    MISSING,
    /// There is one already; nothing was written.
    EXISTS,
    /// Others changed it at every attempt; nothing was written.
    CONTENDED
  }

  /// Makes the store hold the document, whether there was one or not.
  public Outcome apply(String key, String value) throws DatastoreException {
    return write(key, value, true, true);
  }

  /// Stores a document that must not be there yet.
  public Outcome create(String key, String value) throws DatastoreException {
    return write(key, value, true, false);
  }

  /// Replaces a document that must be there.
  public Outcome replace(String key, String value) throws DatastoreException {
    return write(key, value, false, true);
  }

  private Outcome write(String key, String value, boolean mayCreate, boolean mayReplace)
      throws DatastoreException {
    for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      @Nullable KeyValue stored = datastore.get(key).orElse(null);
      if (stored == null ? !mayCreate : !mayReplace) {
        return stored == null ? Outcome.MISSING : Outcome.EXISTS;
      }
      if (stored != null && stored.value().equals(value)) {
        return Outcome.UNCHANGED;
      }
      Txn txn = stored == null ? Txn.create(key, value) : Txn.replace(stored, value);
      if (datastore.commit(txn) instanceof CommitResult.Committed) {
        return stored == null ? Outcome.CREATED : Outcome.REPLACED;
      }
    }
    return Outcome.CONTENDED;
  }

  public Outcome delete(String key) throws DatastoreException {
    for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      Optional<KeyValue> stored = datastore.get(key);
      if (stored.isEmpty()) {
        return Outcome.MISSING;
      }
      if (datastore.commit(Txn.delete(stored.get())) instanceof CommitResult.Committed) {
        return Outcome.DELETED;
      }
    }
    return Outcome.CONTENDED;
  }
}
