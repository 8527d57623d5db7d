package io.margay.cli.resource;

import io.margay.datastore.json.WholeDocuments;

/// How writing a document that is stored whole ended, in the words of the other resources.
final class WholeOutcomes {

  private WholeOutcomes() {}

  static WriteOutcome of(WholeDocuments.Outcome outcome) {
    return switch (outcome) {
      case CREATED -> new WriteOutcome.Done("created");
      case REPLACED -> new WriteOutcome.Done("replaced");
      case UNCHANGED -> new WriteOutcome.Unchanged();
      case DELETED -> new WriteOutcome.Done("deleted");
      case MISSING -> new WriteOutcome.Refused("does not exist");
      case EXISTS -> new WriteOutcome.Conflict("already exists");
      case CONTENDED ->
          new WriteOutcome.Conflict("others keep changing it; nothing was written, try again");
    };
  }
}
