package io.margay.datastore;

import java.time.Instant;

/// How far a syncer's picture can be trusted.
public sealed interface SyncStatus {

  /// Some prefix has never been listed: nothing may be concluded from what is missing.
  ///
  /// @param reason what the syncer waits for; a refusal starts with `UNAUTHORISED`
  record Waiting(String reason) implements SyncStatus {}

  /// Every prefix is complete and watched.
  ///
  /// @param revision the lowest revision up to which all prefixes are complete
  record InSync(long revision) implements SyncStatus {}

  /// Every prefix was complete once, or came from a snapshot, but news may be missing.
  ///
  /// @param since when the store was lost
  /// @param reason what went wrong; a refusal starts with `UNAUTHORISED`
  record Stale(Instant since, String reason) implements SyncStatus {}
}
