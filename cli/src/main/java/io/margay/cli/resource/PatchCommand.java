package io.margay.cli.resource;

import io.margay.cli.ExitCodes;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.json.DocumentProblem;
import io.margay.datastore.json.ResourceDocuments;
import io.margay.datastore.json.ResourceJson;
import io.margay.datastore.json.ResourceReader;
import io.margay.model.resource.Kind;
import io.margay.model.resource.Resource;
import io.margay.model.resource.ResourceRef;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Changes fields of one stored resource.
@Command(
    name = "patch",
    mixinStandardHelpOptions = true,
    description = "Change fields of a resource in place.")
final class PatchCommand extends ResourceCommand {

  @Parameters(
      index = "0",
      paramLabel = "KIND",
      completionCandidates = KindWords.class,
      description = "such as node, ippool")
  private String kindWord = "";

  @Parameters(index = "1", arity = "1..*", paramLabel = "NAME", description = "which of them")
  private List<String> names = List.of();

  @Option(
      names = {"-p", "--patch"},
      required = true,
      paramLabel = "JSON",
      description = "the change, such as '{\"spec\":{\"natOutgoing\":true}}'")
  private String text = "";

  @Option(
      names = {"-t", "--type"},
      paramLabel = "TYPE",
      description = {
        "strategic (default): merge, lists replaced; finalizers are added to;",
        "merge: RFC 7386; json: RFC 6902, a list of operations"
      },
      defaultValue = "strategic")
  private Patch.Type type = Patch.Type.strategic;

  @Option(
      names = {"-n", "--namespace"},
      paramLabel = "NAMESPACE",
      description = "namespace of namespaced kinds (default: default)",
      defaultValue = FileOptions.DEFAULT_NAMESPACE)
  private String namespace = FileOptions.DEFAULT_NAMESPACE;

  private Kind kind = Kind.NODE;
  private Patch patch = new Patch.Operations(List.of());

  PatchCommand(ResourceCommands.Surroundings surroundings) {
    super(surroundings);
  }

  @Override
  Optional<Integer> prepare() {
    Optional<Kind> known = Kind.ofWord(kindWord);
    if (known.isEmpty()) {
      return Optional.of(fail(KindWords.unknown(kindWord), ExitCodes.USAGE));
    }
    kind = known.get();
    try {
      patch = Patch.parse(type, text);
    } catch (Patch.PatchException unreadable) {
      return Optional.of(fail(String.valueOf(unreadable.getMessage()), ExitCodes.USAGE));
    }
    return Optional.empty();
  }

  @Override
  int run(ResourceStore store) throws DatastoreException {
    Tally tally = new Tally(out(), err(), "patched", names.size());
    for (String name : names) {
      ResourceRef ref = new ResourceRef(kind, kind.isNamespaced() ? namespace : "", name);
      try {
        tally.add(kind.kindName(), ref.toString(), "", store.change(ref, this::patched, "patched"));
      } catch (DatastoreException failure) {
        tally.interrupted(ref.toString(), failure.isOutcomeUnknown());
        throw failure;
      }
    }
    return tally.end();
  }

  private Resource patched(Resource stored) throws ResourceStore.RefusedException {
    ResourceDocuments read;
    try {
      String changed = patch.applyTo(ResourceJson.toTree(stored)).toString();
      read = ResourceReader.read("patched", changed, stored.metadata().namespaceOrEmpty());
    } catch (Patch.PatchException impossible) {
      throw refused(String.valueOf(impossible.getMessage()));
    }
    if (!read.problems().isEmpty()) {
      throw refused(
          "patched it would not be valid: "
              + String.join(
                  "; ",
                  read.problems().stream()
                      .map(DocumentProblem::error)
                      .map(Object::toString)
                      .toList()));
    }
    Resource changed = read.items().getFirst().resource();
    if (!changed.ref().equals(stored.ref())) {
      throw refused(
          "a patch does not change kind, namespace or name; it would be " + changed.ref());
    }
    return changed;
  }

  private static ResourceStore.RefusedException refused(String why) {
    return new ResourceStore.RefusedException(new WriteOutcome.Refused(why));
  }
}
