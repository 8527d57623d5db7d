package io.margay.cli.resource;

/// How writing one resource ended.
sealed interface WriteOutcome {

  /// The store changed.
  ///
  /// @param verb `created`, `replaced`, `patched`, `labelled` or `deleted`
  record Done(String verb) implements WriteOutcome {}

  /// The store already was as wanted.
  record Unchanged() implements WriteOutcome {}

  /// Nothing was written, and the same request will be refused again.
  record Refused(String reason) implements WriteOutcome {}

  /// Nothing was written, because of what is stored.
  record Conflict(String reason) implements WriteOutcome {}
}
