package io.margay.datastore.json;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import io.margay.model.resource.FieldError;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.yaml.snakeyaml.LoaderOptions;

/// The documents of a file as trees, before anybody asks what they mean: YAML or JSON, any number
/// of documents, single ones, Lists and bare lists of them. Reads on after a bad document.
public final class DocumentTrees {

  /// Longest file accepted, in characters.
  public static final int MAX_LENGTH = 64 * 1024 * 1024;

  /// One document.
  ///
  /// @param node an object with `apiVersion` and `kind`
  public record Tree(Origin origin, JsonNode node) {

    public String apiVersion() {
      return node.path("apiVersion").asText("");
    }

    public String kind() {
      return node.path("kind").asText("");
    }
  }

  private static final YAMLFactory YAML = yaml();
  private static final JsonMapper TREES =
      JsonMapper.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

  private final String source;
  private final List<Tree> trees = new ArrayList<>();
  private final List<DocumentProblem> problems = new ArrayList<>();
  private int document;

  private DocumentTrees(String source) {
    this.source = source;
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
  public static DocumentTrees read(String source, String text) {
    DocumentTrees read = new DocumentTrees(source);
    read.readAll(text);
    return read;
  }

  /// What a tree is that has been read already.
  public static DocumentTrees of(String source, JsonNode tree) {
    DocumentTrees read = new DocumentTrees(source);
    read.document = 1;
    read.node(tree, "");
    return read;
  }

  public List<Tree> trees() {
    return List.copyOf(trees);
  }

  /// What of the file is no document.
  public List<DocumentProblem> problems() {
    return List.copyOf(problems);
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
        String itemKind = kind.substring(0, kind.length() - "List".length());
        node.path("items").forEach(item -> ofItsList(item, version, itemKind));
        items(node.path("items"), path.isEmpty() ? "items" : path + ".items");
      } else {
        trees.add(new Tree(new Origin(source, document, path), node));
      }
    }
  }

  /// API servers leave out of a list's items what the list says of them all.
  private static void ofItsList(JsonNode item, String version, String kind) {
    boolean isBare = !item.hasNonNull("kind") && !item.hasNonNull("apiVersion");
    if (item instanceof ObjectNode document && isBare && !kind.isEmpty()) {
      document.put("apiVersion", version).put("kind", kind);
    }
  }

  private void items(JsonNode list, String path) {
    for (int i = 0; i < list.size(); i++) {
      node(list.get(i), path + "[" + i + "]");
    }
  }

  private void problem(String item, String field, String message) {
    problems.add(
        new DocumentProblem(new Origin(source, document, item), new FieldError(field, message)));
  }
}
