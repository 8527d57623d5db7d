package io.margay.datastore;

import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/// The store of all desired state and every address assignment: a flat map of keys with one
/// revision counter, compare and swap over several keys, and watches. Safe for use from any thread;
/// every call but `watch` blocks, within a limit.
///
/// A `commit` that throws may have happened: see {@link DatastoreException#isOutcomeUnknown}. A
/// timed-out write is never left queued to be applied later.
public interface Datastore extends AutoCloseable {

  /// @throws DatastoreException when the store cannot be asked
  Optional<KeyValue> get(String key) throws DatastoreException;

  /// Reads several keys at one revision in one round trip. Keys that are not there are missing from
  /// the answer.
  ///
  /// @param keys at most {@link Txn#MAX_OPERATIONS}
  Listing getAll(List<String> keys) throws DatastoreException;

  /// Every key that starts with `prefix`, at one revision, in key order. A folder's prefix ends in
  /// `/`.
  Listing list(String prefix) throws DatastoreException;

  /// As `list`, but each key is handed over as it comes and not kept here: for whoever makes
  /// something smaller of a large listing. When this throws, what was handed over was true of one
  /// moment, but is not all.
  ///
  /// @return the listing without its items
  default Listing list(String prefix, Consumer<KeyValue> each) throws DatastoreException {
    Listing all = list(prefix);
    all.items().forEach(each);
    return new Listing(all.store(), all.revision(), List.of());
  }

  /// A part of a listing as it was at one revision, for reading more than memory should hold. Ask
  /// for the first page with `revision` 0, then with the revision it answers and its last key,
  /// until a page comes back empty.
  ///
  /// @param after only keys behind this one; empty = from the first
  /// @param limit the most keys wanted, at least 1
  /// @param revision which moment; 0 = now
  /// @throws DatastoreException of kind INVALID when that moment is no longer known: compacted
  ///   away, or not the present in a store that keeps no past
  default Listing page(String prefix, String after, int limit, long revision)
      throws DatastoreException {
    Listing present = list(prefix);
    if (revision != 0 && revision != present.revision()) {
      throw new DatastoreException(
          DatastoreException.Kind.INVALID,
          getClass().getSimpleName(),
          "revision "
              + revision
              + " of "
              + prefix
              + " is past, the store is at "
              + present.revision()
              + "; begin anew");
    }
    return new Listing(
        present.store(),
        present.revision(),
        present.items().stream()
            .filter(item -> Utf8.ORDER.compare(item.key(), after) > 0)
            .limit(limit)
            .toList());
  }

  /// Does all writes if all conditions hold, else none.
  CommitResult commit(Txn txn) throws DatastoreException;

  /// Watches every key that starts with `prefix`. Never blocks and never fails directly: trouble
  /// comes as {@link WatchListener#onEnd}.
  ///
  /// @param fromRevision the first revision wanted, at least 1; usually that of a listing plus one
  Watch watch(String prefix, long fromRevision, WatchListener listener);

  /// Ends every watch silently and frees the connections.
  @Override
  void close();
}
