package io.margay.cli.resource;

/// How writing one resource ended.
sealed interface WriteOutcome {

  /// The store changed.
  ///
  /// @param verb `created`, `replaced` or `deleted`
  record Done(String verb) implements WriteOutcome {}

  /// The store already was as wanted.
  record Unchanged() implements WriteOutcome {}

  /// Nothing was written.
  record Refused(String reason) implements WriteOutcome {}
}
