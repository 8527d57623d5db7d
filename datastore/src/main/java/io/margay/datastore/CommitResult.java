package io.margay.datastore;

import java.util.Map;
import java.util.Optional;

/// How a transaction ended.
public sealed interface CommitResult {

  /// Every condition held and every write is done.
  ///
  /// @param revision the modRevision of every key the transaction put
  record Committed(long revision) implements CommitResult {}

  /// Some condition did not hold; nothing was written.
  ///
  /// @param revision the store's revision at which `current` was true
  /// @param current what each key named by a condition holds now; a key that is not there is
  ///   missing
  record Conflict(long revision, Map<String, KeyValue> current) implements CommitResult {

    public Conflict {
      current = Map.copyOf(current);
    }

    public Optional<KeyValue> current(String key) {
      return Optional.ofNullable(current.get(key));
    }
  }
}
