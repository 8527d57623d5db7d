package io.margay.datastore;

import java.util.List;

/// Receives one watch. Called on a thread of the store, one call at a time, in revision order: hand
/// over and return, never block.
public interface WatchListener {

  /// The store has accepted the watch; changes from the asked revision on follow.
  ///
  /// @param store who watches for us; if it does not continue the store of the listing, everything
  ///   must be listed again
  /// @param storeRevision the store's revision now; if it is below what was asked for, the store
  ///   has gone back in time (restored from a backup) and everything must be listed again
  void onStarted(StoreId store, long storeRevision);

  /// Changes in revision order. All changes of one revision come in one call.
  void onChanges(List<Change> changes);

  /// Every change up to and including this revision has been delivered.
  void onProgress(long revision);

  /// The watch is over and calls nothing more. Not called after the caller's own `close`.
  void onEnd(WatchEnd end);

  /// Why a watch ended. It is never resumed by the store: its caller knows what it has seen and
  /// watches again.
  sealed interface WatchEnd {

    /// The asked revision has been compacted away: list, compare, then watch from there.
    record Compacted(long compactRevision) implements WatchEnd {}

    /// The connection broke or the store refused.
    record Failed(DatastoreException cause) implements WatchEnd {}

    /// The store exchanged its connection (for instance because our certificate was renewed) while
    /// nothing was wrong: watch again at once.
    record Moved() implements WatchEnd {}
  }
}
