package io.margay.cli.resource;

import io.margay.cli.ExitCodes;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.json.Origin;
import io.margay.datastore.json.ResourceDocuments;
import io.margay.datastore.json.WholeDocuments;
import io.margay.model.resource.Kind;
import io.margay.model.resource.Resource;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// Writes the resources of files. All files are read and checked first; only if every document is
/// good is anything written. Then each resource is written by itself, tiers first, and each result
/// is printed.
abstract sealed class WriteCommand extends ResourceCommand {

  @Mixin private final FileOptions files;

  private ResourceDocuments documents = ResourceDocuments.NONE;

  WriteCommand(ResourceCommands.Surroundings surroundings) {
    super(surroundings);
    this.files = new FileOptions(surroundings.standardInput());
  }

  /// What is done to each resource, in the past.
  abstract String verb();

  abstract WriteOutcome write(Resource resource, ResourceStore store) throws DatastoreException;

  abstract WholeDocuments.Outcome write(WholeDocument document, WholeDocuments documents)
      throws DatastoreException;

  /// One document to write.
  private record Step(Origin origin, String kind, String name, Write write) {}

  private interface Write {
    WriteOutcome write() throws DatastoreException;
  }

  @Override
  final Optional<Integer> prepare() throws IOException {
    if (!files.isGiven()) {
      return Optional.of(fail("-f FILE is required: what is to be written?", ExitCodes.USAGE));
    }
    documents = files.read();
    if (!report(documents)) {
      return Optional.of(fail("nothing was written", ExitCodes.FAILED));
    }
    return files.end(documents, spec());
  }

  @Override
  final int run(ResourceStore store) throws DatastoreException {
    List<Step> steps = steps(store);
    Tally tally = new Tally(out(), err(), verb(), steps.size());
    for (Step step : steps) {
      try {
        tally.add(step.kind(), step.name(), step.origin() + ": ", step.write().write());
      } catch (DatastoreException failure) {
        tally.interrupted(step.name(), failure.isOutcomeUnknown());
        throw failure;
      }
    }
    return tally.end();
  }

  /// Tiers, the other resources, what is stored whole.
  private List<Step> steps(ResourceStore store) {
    List<Step> steps = new ArrayList<>();
    documents.items().stream()
        .sorted(Comparator.comparing(item -> item.resource().kind() != Kind.TIER))
        .forEach(
            item ->
                steps.add(
                    new Step(
                        item.origin(),
                        item.resource().kind().kindName(),
                        item.resource().ref().toString(),
                        () -> write(item.resource(), store))));
    for (WholeDocument document : WholeDocument.of(documents)) {
      steps.add(
          new Step(
              document.origin(),
              document.kind(),
              document.name(),
              () -> WholeOutcomes.of(write(document, store.whole()))));
    }
    return steps;
  }

  @Command(
      name = "apply",
      mixinStandardHelpOptions = true,
      description =
          "Create resources, or replace those that exist; labels and annotations are added.")
  static final class Apply extends WriteCommand {
    Apply(ResourceCommands.Surroundings surroundings) {
      super(surroundings);
    }

    @Override
    String verb() {
      return "applied";
    }

    @Override
    WriteOutcome write(Resource resource, ResourceStore store) throws DatastoreException {
      return store.apply(resource);
    }

    @Override
    WholeDocuments.Outcome write(WholeDocument document, WholeDocuments documents)
        throws DatastoreException {
      return documents.apply(document.key(), document.value());
    }
  }

  @Command(
      name = "create",
      mixinStandardHelpOptions = true,
      description = "Create resources that do not exist yet.")
  static final class Create extends WriteCommand {

    @Option(names = "--skip-exists", description = "an existing resource is no failure")
    private boolean skipExisting;

    Create(ResourceCommands.Surroundings surroundings) {
      super(surroundings);
    }

    @Override
    String verb() {
      return "created";
    }

    @Override
    WriteOutcome write(Resource resource, ResourceStore store) throws DatastoreException {
      return skipExisting && store.exists(resource.ref())
          ? new WriteOutcome.Unchanged()
          : store.create(resource);
    }

    @Override
    WholeDocuments.Outcome write(WholeDocument document, WholeDocuments documents)
        throws DatastoreException {
      WholeDocuments.Outcome outcome = documents.create(document.key(), document.value());
      return skipExisting && outcome == WholeDocuments.Outcome.EXISTS
          ? WholeDocuments.Outcome.UNCHANGED
          : outcome;
    }
  }

  @Command(
      name = "replace",
      mixinStandardHelpOptions = true,
      description = "Replace resources that exist; with a resourceVersion only if it is current.")
  static final class Replace extends WriteCommand {
    Replace(ResourceCommands.Surroundings surroundings) {
      super(surroundings);
    }

    @Override
    String verb() {
      return "replaced";
    }

    @Override
    WriteOutcome write(Resource resource, ResourceStore store) throws DatastoreException {
      return store.replace(resource);
    }

    @Override
    WholeDocuments.Outcome write(WholeDocument document, WholeDocuments documents)
        throws DatastoreException {
      return documents.replace(document.key(), document.value());
    }
  }
}
