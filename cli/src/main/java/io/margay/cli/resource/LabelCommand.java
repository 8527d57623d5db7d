package io.margay.cli.resource;

import io.margay.cli.ExitCodes;
import io.margay.datastore.DatastoreException;
import io.margay.model.resource.FieldError;
import io.margay.model.resource.Kind;
import io.margay.model.resource.Resource;
import io.margay.model.resource.ResourceRef;
import io.margay.model.resource.ResourceValidator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Sets or removes one label of one resource.
@Command(
    name = "label",
    mixinStandardHelpOptions = true,
    description = "Set or remove a label of a resource.")
final class LabelCommand extends ResourceCommand {

  @Parameters(
      index = "0",
      paramLabel = "KIND",
      completionCandidates = KindWords.class,
      description = "such as node, workloadendpoint")
  private String kindWord = "";

  @Parameters(index = "1", paramLabel = "NAME", description = "which of them")
  private String name = "";

  @Parameters(
      index = "2",
      paramLabel = "KEY=VALUE",
      description = "the label; with --remove only its KEY")
  private String label = "";

  @Option(names = "--overwrite", description = "replace the value that the label has")
  private boolean overwrite;

  @Option(names = "--remove", description = "remove the label")
  private boolean remove;

  @Option(
      names = {"-n", "--namespace"},
      paramLabel = "NAMESPACE",
      description = "namespace of namespaced kinds (default: default)",
      defaultValue = FileOptions.DEFAULT_NAMESPACE)
  private String namespace = FileOptions.DEFAULT_NAMESPACE;

  private Kind kind = Kind.NODE;
  private String key = "";
  private String value = "";

  LabelCommand(ResourceCommands.Surroundings surroundings) {
    super(surroundings);
  }

  @Override
  Optional<Integer> prepare() {
    Optional<Kind> known = Kind.ofWord(kindWord);
    if (known.isEmpty()) {
      return Optional.of(fail(KindWords.unknown(kindWord), ExitCodes.USAGE));
    }
    if (overwrite && remove) {
      return Optional.of(fail("--overwrite and --remove exclude each other", ExitCodes.USAGE));
    }
    kind = known.get();
    int equals = label.indexOf('=');
    if (remove == (equals >= 0) || equals == 0) {
      return Optional.of(
          fail(
              "\"" + label + "\" is not " + (remove ? "KEY, which --remove takes" : "KEY=VALUE"),
              ExitCodes.USAGE));
    }
    key = remove ? label : label.substring(0, equals);
    value = remove ? "" : label.substring(equals + 1);
    return Optional.empty();
  }

  @Override
  int run(ResourceStore store) throws DatastoreException {
    ResourceRef ref = new ResourceRef(kind, kind.isNamespaced() ? namespace : "", name);
    boolean[] had = {false};
    WriteOutcome outcome =
        store.change(
            ref,
            stored -> {
              had[0] = stored.metadata().labels().containsKey(key);
              return labelled(stored);
            },
            "labelled");
    return switch (outcome) {
      case WriteOutcome.Done _, WriteOutcome.Unchanged _ -> {
        out()
            .println(
                "Successfully "
                    + (remove ? "removed" : had[0] ? "updated" : "set")
                    + " label "
                    + key
                    + (remove ? " from " : " on ")
                    + kindWord
                    + " "
                    + name);
        out().flush();
        yield ExitCodes.OK;
      }
      case WriteOutcome.Refused(String reason) -> fail(ref + ": " + reason, ExitCodes.FAILED);
      case WriteOutcome.Conflict(String reason) -> fail(ref + ": " + reason, ExitCodes.CONFLICT);
    };
  }

  private Resource labelled(Resource stored) throws ResourceStore.RefusedException {
    Map<String, String> labels = new TreeMap<>(stored.metadata().labels());
    String before = labels.get(key);
    if (remove) {
      if (before == null) {
        throw refused(new WriteOutcome.Refused("has no label " + key));
      }
      labels.remove(key);
    } else {
      if (before != null && !before.equals(value) && !overwrite) {
        throw refused(
            new WriteOutcome.Conflict(
                "label " + key + " is \"" + before + "\" already; --overwrite replaces it"));
      }
      labels.put(key, value);
    }
    Resource changed = stored.withMetadata(stored.metadata().withLabels(labels));
    List<FieldError> wrong = ResourceValidator.validate(changed);
    if (!wrong.isEmpty()) {
      throw refused(new WriteOutcome.Refused(wrong.getFirst().toString()));
    }
    return changed;
  }

  private static ResourceStore.RefusedException refused(WriteOutcome why) {
    return new ResourceStore.RefusedException(why);
  }
}
