package io.margay.cli.resource;

import io.margay.cli.ExitCodes;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.json.Decoded;
import io.margay.datastore.json.ResourceJson;
import io.margay.model.resource.Kind;
import io.margay.model.resource.Resource;
import io.margay.model.resource.ResourceRef;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Prints stored resources.
@Command(name = "get", mixinStandardHelpOptions = true, description = "Show resources.")
final class GetCommand extends ResourceCommand {

  /// How resources are shown; the names are what `-o` takes.
  enum Output {
    ps,
    wide,
    yaml,
    json,
    name
  }

  @Parameters(index = "0", paramLabel = "KIND", description = "such as networkpolicy, ippools, gnp")
  private String kindWord = "";

  @Parameters(index = "1..*", arity = "0..*", paramLabel = "NAME", description = "only these")
  private List<String> names = List.of();

  @Option(
      names = {"-n", "--namespace"},
      paramLabel = "NAMESPACE",
      description = "namespace of namespaced kinds (default: default)",
      defaultValue = "default")
  private String namespace = "default";

  @Option(
      names = {"-A", "-a", "--all-namespaces"},
      description = "in all namespaces")
  private boolean allNamespaces;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORMAT",
      description = "${COMPLETION-CANDIDATES} (default: ps, a table)",
      defaultValue = "ps")
  private Output output = Output.ps;

  private Kind kind = Kind.NODE;

  GetCommand(ResourceCommands.Surroundings surroundings) {
    super(surroundings);
  }

  static String unknownKind(String word) {
    return "\""
        + word
        + "\" is not a kind; known are "
        + Arrays.stream(Kind.values())
            .map(kind -> kind.kindName().toLowerCase(Locale.ROOT))
            .sorted()
            .collect(Collectors.joining(", "));
  }

  @Override
  Optional<Integer> prepare() {
    Optional<Kind> known = Kind.ofWord(kindWord);
    if (known.isEmpty()) {
      return Optional.of(fail(unknownKind(kindWord), ExitCodes.USAGE));
    }
    if (allNamespaces && !names.isEmpty()) {
      return Optional.of(fail("a NAME needs one namespace: -n, not -A", ExitCodes.USAGE));
    }
    kind = known.get();
    if (!kind.isStoredAsResource()) {
      return Optional.of(
          fail(
              "a " + kind + " is the allocator's; see: margay ipam show --show-blocks",
              ExitCodes.USAGE));
    }
    return Optional.empty();
  }

  @Override
  int run(ResourceStore store) throws DatastoreException {
    List<Resource> shown = new ArrayList<>();
    int failures = 0;
    for (Decoded decoded : names.isEmpty() ? all(store) : named(store)) {
      switch (decoded) {
        case Decoded.Valid(Resource resource) -> shown.add(resource);
        case Decoded.Invalid invalid -> {
          invalid
              .errors()
              .forEach(error -> err().println(invalid.ref() + ": stored, but " + error));
          failures++;
        }
      }
    }
    failures += names.isEmpty() ? 0 : names.size() - shown.size() - failures;
    print(shown);
    out().flush();
    err().flush();
    return failures == 0 ? ExitCodes.OK : ExitCodes.FAILED;
  }

  private List<Decoded> all(ResourceStore store) throws DatastoreException {
    return store.list(kind, allNamespaces ? null : namespace);
  }

  private List<Decoded> named(ResourceStore store) throws DatastoreException {
    List<Decoded> found = new ArrayList<>();
    for (String name : names) {
      ResourceRef ref = new ResourceRef(kind, kind.isNamespaced() ? namespace : "", name);
      store.get(ref).ifPresentOrElse(found::add, () -> err().println(ref + ": does not exist"));
    }
    return found;
  }

  private void print(List<Resource> resources) {
    boolean single = names.size() == 1;
    if (single && resources.isEmpty()) {
      return;
    }
    switch (output) {
      case yaml ->
          out()
              .print(
                  single
                      ? ResourceJson.toYaml(resources.getFirst())
                      : ResourceJson.toYamlList(resources));
      case json ->
          out()
              .println(
                  single
                      ? ResourceJson.toPrettyJson(resources.getFirst())
                      : ResourceJson.toPrettyJsonList(resources));
      case name ->
          resources.forEach(
              resource ->
                  out()
                      .println(
                          kind.kindName().toLowerCase(Locale.ROOT)
                              + "/"
                              + resource.metadata().name()));
      case ps -> out().print(ResourceTable.of(kind, resources, false, allNamespaces));
      case wide -> out().print(ResourceTable.of(kind, resources, true, allNamespaces));
    }
  }
}
