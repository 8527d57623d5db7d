package io.margay.datastore;

import java.util.List;

/// Receives what a `Syncer` knows, on the syncer's thread, one call at a time. May take its time:
/// the syncer waits, up to a limit after which it lists afresh.
public interface SyncListener {

  /// Changes in order of revision for each key; every key's last word is the store's. Repeats are
  /// possible, gaps are not.
  void onChanges(List<Change> changes);

  /// The store is another than before, or was set back: revisions told so far mean nothing in it,
  /// and writes that it had confirmed may be gone. The differences follow as changes.
  default void onReplaced() {}

  /// How far what was delivered can be trusted. Called on every change of kind; `InSync` follows
  /// the changes it speaks of.
  void onStatus(SyncStatus status);
}
