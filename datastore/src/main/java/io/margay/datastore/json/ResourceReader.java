package io.margay.datastore.json;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.util.JsonParserDelegate;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLParser;
import io.margay.model.k8s.ConvertedDocument;
import io.margay.model.k8s.KubernetesConversion;
import io.margay.model.k8s.KubernetesDocument;
import io.margay.model.k8s.KubernetesPod;
import io.margay.model.resource.FieldError;
import io.margay.model.resource.Kind;
import io.margay.model.resource.Resource;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.LoaderOptions;

/// Reads users' files: YAML or JSON, any number of documents, single resources, Lists and bare
/// lists of them, of Calico's and the accepted Kubernetes kinds. Reads on after a bad document.
public final class ResourceReader {

  /// Longest file accepted, in characters.
  public static final int MAX_LENGTH = 64 * 1024 * 1024;

  private static final YAMLFactory YAML = yaml();
  private static final JsonMapper TREES =
      JsonMapper.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

  private final String source;
  private final String defaultNamespace;
  private final List<ResourceDocuments.Item> items = new ArrayList<>();
  private final List<ResourceDocuments.PodItem> pods = new ArrayList<>();
  private final List<DocumentProblem> problems = new ArrayList<>();
  private int document;

  private ResourceReader(String source, String defaultNamespace) {
    this.source = source;
    this.defaultNamespace = defaultNamespace;
  }

  private static YAMLFactory yaml() {
    LoaderOptions limits = new LoaderOptions();
    limits.setCodePointLimit(MAX_LENGTH);
    return YAMLFactory.builder()
        .loaderOptions(limits)
        .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
        .build();
  }

  /// Reads `text`.
  ///
  /// @param source what errors call the file
  /// @param defaultNamespace for namespaced resources that name none
  public static ResourceDocuments read(String source, String text, String defaultNamespace) {
    ResourceReader reader = new ResourceReader(source, defaultNamespace);
    reader.readAll(text);
    return new ResourceDocuments(reader.items, reader.pods, reader.problems);
  }

  private void readAll(String text) {
    if (text.length() > MAX_LENGTH) {
      document = 1;
      problem("", "document", "the file is longer than " + MAX_LENGTH + " characters");
    } else if (text.stripLeading().startsWith("{") || text.stripLeading().startsWith("[")) {
      readStream(text, 0, true);
    } else {
      // A marker ends the document whatever state it is in, so a broken one costs no other.
      List<String> lines = text.lines().toList();
      int start = 0;
      for (int i = 0; i <= lines.size(); i++) {
        if (i == lines.size() || i > start && isMarker(lines.get(i))) {
          readStream(String.join("\n", lines.subList(start, i)) + "\n", start, false);
          start = i;
        }
      }
    }
  }

  private static boolean isMarker(String line) {
    return line.startsWith("---") && (line.length() == 3 || Character.isWhitespace(line.charAt(3)));
  }

  private void readStream(String text, int linesBefore, boolean json) {
    try (JsonParser parser =
        json ? TREES.createParser(text) : new NoAliases(YAML.createParser(text))) {
      parser.setCodec(TREES);
      while (parser.nextToken() != null) {
        JsonNode tree = parser.readValueAsTree();
        if (tree != null && !isBlank(tree)) {
          document++;
          node(tree, "");
        }
      }
    } catch (JsonProcessingException broken) {
      document++;
      JsonLocation location = broken.getLocation();
      String line =
          location == null || location.getLineNr() < 1
              ? ""
              : "line " + (linesBefore + location.getLineNr()) + ": ";
      problem("", "document", line + ResourceJson.firstLine(broken));
    } catch (IOException unreadable) {
      document++;
      problem("", "document", ResourceJson.firstLine(unreadable));
    }
  }

  private static boolean isBlank(JsonNode tree) {
    return tree.isNull() || tree.isMissingNode() || tree.isTextual() && tree.asText().isBlank();
  }

  private void node(JsonNode node, String path) {
    if (node.isArray()) {
      items(node, path);
    } else if (!node.isObject()) {
      problem(path, "document", "expected an object with apiVersion and kind");
    } else {
      String kind = node.path("kind").asText("");
      String version = node.path("apiVersion").asText("");
      if (kind.isEmpty() || version.isEmpty()) {
        problem(path, kind.isEmpty() ? "kind" : "apiVersion", "is required");
      } else if (kind.endsWith("List") && node.path("items").isArray()) {
        items(node.path("items"), path.isEmpty() ? "items" : path + ".items");
      } else if (version.equals(Kind.API_VERSION)) {
        Kind.ofName(kind)
            .ifPresentOrElse(
                known -> calico(known, node, path), () -> unknown(kind, version, path));
      } else {
        kubernetes(version, kind, node, path);
      }
    }
  }

  private void items(JsonNode list, String path) {
    for (int i = 0; i < list.size(); i++) {
      node(list.get(i), path + "[" + i + "]");
    }
  }

  private void unknown(String kind, String version, String path) {
    String known =
        version.equals(Kind.API_VERSION)
            ? "known are "
                + Arrays.stream(Kind.values())
                    .map(Kind::kindName)
                    .sorted()
                    .collect(Collectors.joining(", "))
            : "accepted are the kinds of "
                + Kind.API_VERSION
                + ", and of Kubernetes "
                + KubernetesDocuments.accepted();
    problem(path, "kind", "\"" + kind + "\" of " + version + " is not known; " + known);
  }

  private void calico(Kind kind, JsonNode node, String path) {
    ErrorSink errors = new ErrorSink();
    Resource resource = ResourceJson.read(node, ResourceJson.type(kind), errors);
    if (resource == null) {
      problems(path, errors.found());
    } else {
      accept(inNamespace(resource), path);
    }
  }

  private Resource inNamespace(Resource resource) {
    return resource.kind().isNamespaced() && resource.metadata().namespaceOrEmpty().isEmpty()
        ? resource.withMetadata(resource.metadata().withNamespace(defaultNamespace))
        : resource;
  }

  private void kubernetes(String version, String kind, JsonNode node, String path) {
    Optional<Class<? extends KubernetesDocument>> type = KubernetesDocuments.type(version, kind);
    if (type.isEmpty()) {
      unknown(kind, version, path);
      return;
    }
    ErrorSink errors = new ErrorSink();
    switch (KubernetesDocuments.read(node, type.get(), defaultNamespace, errors)) {
      case null -> problems(path, errors.found());
      case KubernetesPod pod ->
          pods.add(new ResourceDocuments.PodItem(new Origin(source, document, path), pod));
      case ConvertedDocument converted -> accept(converted, path);
    }
  }

  private void accept(ConvertedDocument kubernetes, String path) {
    Resource resource = KubernetesConversion.convert(kubernetes);
    List<FieldError> found = StagedKubernetesRules.validate(resource);
    if (found.isEmpty()) {
      accept(resource, path);
    } else {
      found.forEach(
          error ->
              problem(
                  path,
                  error.path(),
                  error.message() + " (in " + resource.ref() + ", which it becomes)"));
    }
  }

  private void accept(Resource resource, String path) {
    List<FieldError> found = StagedKubernetesRules.validate(resource);
    if (found.isEmpty()) {
      items.add(
          new ResourceDocuments.Item(
              new Origin(source, document, path), resource, UnknownFields.of(resource)));
    } else {
      problems(path, found);
    }
  }

  private void problems(String path, List<FieldError> errors) {
    errors.forEach(error -> problem(path, error.path(), error.message()));
  }

  private void problem(String item, String field, String message) {
    problems.add(
        new DocumentProblem(new Origin(source, document, item), new FieldError(field, message)));
  }

  /// Refuses YAML aliases, which the reader beneath would pass on as their own names.
  private static final class NoAliases extends JsonParserDelegate {

    private final YAMLParser yaml;

    NoAliases(YAMLParser yaml) {
      super(yaml);
      this.yaml = yaml;
    }

    @Override
    public @Nullable JsonToken nextToken() throws IOException {
      JsonToken token = super.nextToken();
      if (token == JsonToken.VALUE_STRING && yaml.isCurrentAlias()) {
        throw new JsonParseException(
            this, "YAML alias *" + yaml.getText() + " is not taken; write the value out");
      }
      return token;
    }

    @Override
    public @Nullable String nextFieldName() throws IOException {
      return nextToken() == JsonToken.FIELD_NAME ? currentName() : null;
    }

    @Override
    public @Nullable String nextTextValue() throws IOException {
      return nextToken() == JsonToken.VALUE_STRING ? getText() : null;
    }
  }
}
