package io.margay.cli.resource;

import io.margay.cli.ExitCodes;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.json.ResourceDocuments;
import io.margay.datastore.json.WholeDocuments;
import io.margay.model.resource.Kind;
import io.margay.model.resource.ResourceRef;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Deletes resources named on the command line or in files; tiers last, so that their policies are
/// gone.
@Command(
    name = "delete",
    mixinStandardHelpOptions = true,
    description = "Delete resources, by file or by kind and name.")
final class DeleteCommand extends ResourceCommand {

  private record Target(ResourceRef ref, @Nullable String resourceVersion) {}

  @Mixin private final FileOptions files;

  @Option(
      names = {"-s", "--skip-not-exists"},
      description = "a missing resource is no failure")
  private boolean skipMissing;

  @Option(
      names = "--force",
      description = "a node although its agent is alive, a pool although its addresses are in use")
  private boolean evenIfUsed;

  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "KIND",
      completionCandidates = KindWords.class,
      description = "such as networkpolicy")
  private @Nullable String kindWord;

  @Parameters(index = "1..*", arity = "0..*", paramLabel = "NAME", description = "which of them")
  private List<String> names = List.of();

  private final List<Target> targets = new ArrayList<>();
  private final List<WholeDocument> whole = new ArrayList<>();

  DeleteCommand(ResourceCommands.Surroundings surroundings) {
    super(surroundings);
    this.files = new FileOptions(surroundings.standardInput());
  }

  @Override
  Optional<Integer> prepare() throws IOException {
    String word = kindWord;
    if (files.isGiven() == (word != null)) {
      return Optional.of(fail("either -f FILE or KIND NAME is required", ExitCodes.USAGE));
    }
    if (word == null) {
      ResourceDocuments documents = files.read();
      if (!report(documents)) {
        return Optional.of(fail("nothing was deleted", ExitCodes.FAILED));
      }
      documents
          .items()
          .forEach(
              item ->
                  targets.add(
                      new Target(
                          item.resource().ref(), item.resource().metadata().resourceVersion())));
      whole.addAll(WholeDocument.of(documents));
      targets.sort(Comparator.comparing(target -> target.ref().kind() == Kind.TIER));
      return files.end(documents, spec());
    }
    Optional<Kind> kind = Kind.ofWord(word);
    if (kind.isEmpty() || names.isEmpty()) {
      return Optional.of(
          fail(
              kind.isEmpty() ? KindWords.unknown(word) : "which " + kind.get() + "? Give a NAME",
              ExitCodes.USAGE));
    }
    for (String name : names) {
      targets.add(
          new Target(
              new ResourceRef(kind.get(), kind.get().isNamespaced() ? files.namespace() : "", name),
              null));
    }
    return Optional.empty();
  }

  @Override
  int run(ResourceStore store) throws DatastoreException {
    Tally tally = new Tally(out(), err(), "deleted", targets.size() + whole.size());
    for (Target target : targets) {
      String name = target.ref().toString();
      try {
        if (skipMissing && !store.exists(target.ref())) {
          tally.done(name + " was not there");
        } else {
          WriteOutcome outcome = store.delete(target.ref(), target.resourceVersion(), evenIfUsed);
          tally.add(target.ref().kind().kindName(), name, "", outcome);
        }
      } catch (DatastoreException failure) {
        tally.interrupted(name, failure.isOutcomeUnknown());
        throw failure;
      }
    }
    for (WholeDocument document : whole) {
      try {
        WholeDocuments.Outcome outcome = store.whole().delete(document.key());
        if (skipMissing && outcome == WholeDocuments.Outcome.MISSING) {
          tally.done(document.name() + " was not there");
        } else {
          tally.add(document.kind(), document.name(), "", WholeOutcomes.of(outcome));
        }
      } catch (DatastoreException failure) {
        tally.interrupted(document.name(), failure.isOutcomeUnknown());
        throw failure;
      }
    }
    return tally.end();
  }
}
