package io.margay.cli.resource;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.cli.ExitCodes;
import io.margay.cli.output.OutputFormat;
import io.margay.cli.output.TemplateException;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.json.Decoded;
import io.margay.datastore.json.ResourceDocuments;
import io.margay.datastore.json.ResourceJson;
import io.margay.model.resource.Kind;
import io.margay.model.resource.Resource;
import io.margay.model.resource.ResourceRef;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Prints stored resources.
@Command(
    name = "get",
    mixinStandardHelpOptions = true,
    description = "Show resources: all of a kind, some by name, or those that files name.")
final class GetCommand extends ResourceCommand {

  private static final Set<String> FORMATS =
      Set.of("ps", "wide", "yaml", "json", "name", "custom-columns=", "go-template=", "jsonpath=");

  /// What shells complete `-o` to.
  private static final class Formats extends ArrayList<String> {
    private static final long serialVersionUID = 1L;

    Formats() {
      super(FORMATS.stream().sorted().toList());
    }
  }

  @Mixin private final FileOptions files;

  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "KIND[,KIND…]",
      completionCandidates = KindWords.class,
      description = "such as networkpolicy, ippools, gnp")
  private @Nullable String kindWords;

  @Parameters(index = "1..*", arity = "0..*", paramLabel = "NAME", description = "only these")
  private List<String> names = List.of();

  @Option(
      names = {"-A", "-a", "--all-namespaces"},
      description = "in all namespaces")
  private boolean allNamespaces;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORMAT",
      completionCandidates = Formats.class,
      description = {
        "ps (default), wide, yaml, json, name, custom-columns=A,B (or =A:.path,B:.path),",
        "go-template=TEXT, go-template-file=FILE, jsonpath=TEXT, jsonpath-file=FILE"
      },
      defaultValue = "ps")
  private String output = "ps";

  @Option(
      names = "--export",
      description = {
        "without what belongs to this cluster: uid, resourceVersion, creationTimestamp,"
            + " generation,",
        "status and, of objects by name, the namespace"
      })
  private boolean export;

  private final List<Kind> kinds = new ArrayList<>();
  private final List<View> views = new ArrayList<>();
  private final Set<ResourceRef> refs = new LinkedHashSet<>();
  private final Set<ResourceRef> told = new HashSet<>();
  private final Set<String> toldOfViews = new HashSet<>();
  private final Set<String> unreadable = new HashSet<>();
  private OutputFormat format = new OutputFormat.Table(false);
  private int failures;

  GetCommand(ResourceCommands.Surroundings surroundings) {
    super(surroundings);
    this.files = new FileOptions(surroundings.standardInput());
  }

  @Override
  Optional<Integer> prepare() throws IOException {
    try {
      format = OutputFormat.parse(output, GetCommand::template);
    } catch (TemplateException unusable) {
      return Optional.of(fail(String.valueOf(unusable.getMessage()), ExitCodes.USAGE));
    }
    String words = kindWords;
    if (files.isGiven() == (words != null)) {
      return Optional.of(fail("either -f FILE or KIND [NAME…] is required", ExitCodes.USAGE));
    }
    if (allNamespaces && (files.namesNamespace() || !names.isEmpty())) {
      return Optional.of(fail("-A is all namespaces: give neither -n nor a NAME", ExitCodes.USAGE));
    }
    return words == null ? refsOfFiles() : kinds(words);
  }

  private static String template(String file) throws TemplateException {
    try {
      return Files.readString(Path.of(file), StandardCharsets.UTF_8);
    } catch (IOException unreadable) {
      throw new TemplateException(FileOptions.unreadable(file, unreadable));
    }
  }

  private Optional<Integer> refsOfFiles() throws IOException {
    ResourceDocuments documents = files.read();
    if (!report(documents)) {
      return Optional.of(ExitCodes.FAILED);
    }
    documents.items().forEach(item -> refs.add(item.resource().ref()));
    return files.end(documents, spec());
  }

  private Optional<Integer> kinds(String words) {
    for (String word : words.split(",")) {
      Optional<Kind> kind = Kind.ofWord(word).filter(Kind::isStoredAsResource);
      Optional<View> view = View.ofWord(word);
      if (kind.isEmpty() && view.isEmpty()) {
        return Optional.of(fail(KindWords.unknown(word), ExitCodes.USAGE));
      }
      kind.ifPresentOrElse(kinds::add, () -> views.add(view.orElseThrow()));
    }
    if (!names.isEmpty() && kinds.size() + views.size() > 1) {
      return Optional.of(fail("a NAME needs one KIND, not several", ExitCodes.USAGE));
    }
    for (String name : names) {
      for (Kind kind : kinds) {
        refs.add(new ResourceRef(kind, kind.isNamespaced() ? files.namespace() : "", name));
      }
    }
    return Optional.empty();
  }

  @Override
  int run(ResourceStore store) throws DatastoreException {
    List<FoundDocuments> groups = new ArrayList<>();
    if (refs.isEmpty()) {
      store.requireAnswer();
      Enforcement enforcement = Enforcement.of(kinds, store);
      for (Kind kind : kinds) {
        groups.add(
            FoundDocuments.list(
                kind,
                store.listing(kind, allNamespaces ? null : files.namespace()),
                decoded -> tellProblem(decoded, enforcement),
                this::dressed));
      }
    } else {
      groups.addAll(named(store));
    }
    for (View view : views) {
      groups.add(view(view, store));
    }
    try {
      new Shown(out(), allNamespaces || files.namesNamespace(), () -> clusterAsn(store))
          .print(format, groups);
    } catch (TemplateException unusable) {
      return fail(String.valueOf(unusable.getMessage()), ExitCodes.USAGE);
    }
    out().flush();
    err().flush();
    return failures == 0 ? ExitCodes.OK : ExitCodes.FAILED;
  }

  private List<FoundDocuments> named(ResourceStore store) throws DatastoreException {
    Map<Kind, List<ObjectNode>> found = new LinkedHashMap<>();
    Enforcement enforcement =
        Enforcement.of(refs.stream().map(ResourceRef::kind).collect(Collectors.toSet()), store);
    for (ResourceRef ref : refs) {
      Optional<Decoded> decoded = store.get(ref);
      if (decoded.isPresent()) {
        tellProblem(decoded.get(), enforcement);
        if (decoded.get() instanceof Decoded.Valid(Resource resource)) {
          found
              .computeIfAbsent(ref.kind(), _ -> new ArrayList<>())
              .add(ResourceJson.toTree(resource));
        }
      } else if (ref.equals(ResourceRef.global(Kind.PROFILE, StoreRules.DEFAULT_ALLOW))) {
        found
            .computeIfAbsent(ref.kind(), _ -> new ArrayList<>())
            .add(FoundDocuments.defaultAllow());
      } else {
        err().println(ref + ": does not exist");
        failures++;
      }
    }
    List<FoundDocuments> groups = new ArrayList<>();
    found.forEach(
        (kind, documents) ->
            groups.add(
                FoundDocuments.named(
                    kind.kindName(),
                    kind.plural(),
                    kind.isNamespaced(),
                    documents,
                    this::dressed)));
    return groups;
  }

  private FoundDocuments view(View view, ResourceStore store) throws DatastoreException {
    FoundDocuments all =
        FoundDocuments.list(
            view,
            store.listing(view.prefix(allNamespaces ? null : files.namespace())),
            item -> ViewProblem.of(view, item).ifPresent(this::tellProblem),
            dress(view, store));
    if (names.isEmpty()) {
      return all;
    }
    Map<String, ObjectNode> byName = new LinkedHashMap<>();
    all.forEach(document -> byName.put(document.path("metadata").path("name").asText(), document));
    List<ObjectNode> found = new ArrayList<>();
    for (String name : names) {
      ObjectNode document = byName.get(name);
      if (document == null && unreadable.contains(name)) {
        continue;
      }
      if (document == null) {
        err().println(view.kindName() + "(" + name + "): does not exist");
        failures++;
      } else {
        found.add(document);
      }
    }
    return FoundDocuments.named(
        view.kindName(), view.plural(), view.isNamespaced(), found, this::dressed);
  }

  private UnaryOperator<ObjectNode> dress(View view, ResourceStore store)
      throws DatastoreException {
    if (view != View.PODS) {
      return this::dressed;
    }
    PodFates fates =
        new PodFates(
            store.listing(Kind.WORKLOAD_ENDPOINT, allNamespaces ? null : files.namespace()));
    return document -> dressed(fates.dressed(document));
  }

  private void tellProblem(Decoded decoded, Enforcement enforcement) {
    Optional<String> problem = enforcement.problem(decoded);
    if (problem.isPresent() && told.add(decoded.ref())) {
      boolean isValid = decoded instanceof Decoded.Valid;
      err()
          .println(
              decoded.ref()
                  + (isValid ? ": not followed as written: " : ": stored, but ")
                  + problem.get());
      failures += isValid ? 0 : 1;
    }
  }

  private void tellProblem(ViewProblem problem) {
    boolean isAsked = names.isEmpty() || names.contains(problem.name());
    if (isAsked && toldOfViews.add(problem.object())) {
      err().println(problem.object() + ": stored, but " + problem.text());
      unreadable.add(problem.name());
      failures++;
    }
  }

  private ObjectNode dressed(ObjectNode document) {
    if (export) {
      document.remove("status");
      if (document.get("metadata") instanceof ObjectNode metadata) {
        metadata.remove(List.of("uid", "resourceVersion", "creationTimestamp", "generation"));
        if (!refs.isEmpty()) {
          metadata.remove("namespace");
        }
      }
    }
    return document;
  }

  /// What `-o wide` shows for a node that has the cluster's AS number.
  private static String clusterAsn(ResourceStore store) {
    try {
      return store
          .get(ResourceRef.global(Kind.BGP_CONFIGURATION, "default"))
          .filter(Decoded.Valid.class::isInstance)
          .map(
              decoded ->
                  ResourceJson.toTree(((Decoded.Valid) decoded).resource())
                      .path("spec")
                      .path("asNumber"))
          .filter(JsonNode::isValueNode)
          .filter(asn -> !asn.isNull() && !asn.isMissingNode())
          .map(asn -> "(" + asn.asText() + ")")
          .orElse("(64512)");
    } catch (DatastoreException unanswered) {
      return "(unknown)";
    }
  }

  /// The documents as a template's outermost value: an object by itself, or lists.
  static List<JsonNode> roots(List<FoundDocuments> groups) {
    List<JsonNode> roots = new ArrayList<>();
    for (FoundDocuments group : groups) {
      if (group.isList()) {
        ObjectNode list = JsonNodeFactory.instance.objectNode();
        list.put("kind", group.kindName() + "List").put("apiVersion", Kind.API_VERSION);
        list.putObject("metadata").put("resourceVersion", group.resourceVersion());
        ArrayNode items = list.putArray("items");
        group.forEach(items::add);
        roots.add(list);
      } else {
        group.forEach(roots::add);
      }
    }
    return roots;
  }
}
