package io.margay.cli.datastore;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.KeyValue;
import io.margay.datastore.json.Decoded;
import io.margay.datastore.json.ResourceJson;
import io.margay.datastore.json.ResourceKeys;
import io.margay.ipam.IpamConfig;
import io.margay.ipam.IpamKeys;
import io.margay.ipam.care.IpamCheck;
import io.margay.model.resource.FieldError;
import io.margay.model.resource.Kind;
import io.margay.model.resource.ResourceRef;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Reads an export, Margay's or calicoctl's, a document at a time. Reads on behind a bad one, so
/// that all that is wrong is told at once.
final class ExportReader {

  /// Takes what the file holds, in its order.
  interface Visitor {

    /// A document as it is to be stored.
    void entry(Entry entry) throws DatastoreException, IOException;

    /// Something that can't be stored: one line, naming file, document and field.
    void problem(String problem);
  }

  /// @param where the document in the file, for messages
  /// @param isResource whether it is compared by content; else octet for octet
  /// @param hasIdentity whether uid and birthday are as they should be, also if absent
  record Entry(String where, String key, String value, boolean isResource, boolean hasIdentity) {}

  private final String source;
  private final Visitor visitor;
  private int document;
  private boolean isEnded;

  /// Ours says all there is to say of an object; calicoctl's leaves out who it is.
  private boolean isOurs;

  private ExportReader(String source, Visitor visitor) {
    this.source = source;
    this.visitor = visitor;
  }

  /// @param source what messages call the file
  /// @throws IOException when the file can't be read
  static void read(Path file, String source, Visitor visitor)
      throws DatastoreException, IOException {
    try (BufferedReader lines = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
      new ExportReader(source, visitor).read(lines);
    }
  }

  private void read(BufferedReader lines) throws DatastoreException, IOException {
    resources(lines);
    if (isEnded) {
      visitor.problem(
          source
              + ": there is no line "
              + ExportFormat.PART
              + " behind its resources: not an export, or its end is missing");
      return;
    }
    String information = part(lines);
    if (isEnded) {
      visitor.problem(source + ": its end is missing: there is no IPAM part");
      return;
    }
    clusterInformation(information);
    ipam(lines);
  }

  private void resources(BufferedReader lines) throws DatastoreException, IOException {
    StringBuilder text = new StringBuilder();
    String line = lines.readLine();
    isOurs = ExportFormat.HEADER.equals(line);
    while (line != null && !line.equals(ExportFormat.PART)) {
      if (line.stripTrailing().equals(ExportFormat.DOCUMENT)) {
        yaml(text);
      } else {
        text.append(line).append('\n');
      }
      line = lines.readLine();
    }
    yaml(text);
    isEnded = line == null;
  }

  private void yaml(StringBuilder text) throws DatastoreException, IOException {
    List<JsonNode> trees;
    try {
      trees = Trees.parseYaml(text.toString());
    } catch (IOException broken) {
      document++;
      visitor.problem(source + ": document " + document + ": " + Trees.firstLine(broken));
      return;
    } finally {
      text.setLength(0);
    }
    for (JsonNode tree : trees) {
      document++;
      String where = source + ": document " + document;
      if (tree.path("items").isArray() && tree.path("kind").asText().endsWith("List")) {
        for (int i = 0; i < tree.path("items").size(); i++) {
          resource(tree.path("items").get(i), where, "items[" + i + "]");
        }
      } else {
        resource(tree, where, "");
      }
    }
  }

  private String part(BufferedReader lines) throws IOException {
    StringBuilder text = new StringBuilder();
    String line = lines.readLine();
    while (line != null && !line.equals(ExportFormat.PART)) {
      text.append(line).append('\n');
      line = lines.readLine();
    }
    isEnded = line == null;
    return text.toString();
  }

  /// The cluster's identity comes along; that addresses are held stays as it is in the target.
  private void clusterInformation(String text) throws DatastoreException, IOException {
    String where = source + ": ClusterInformation";
    JsonNode tree;
    try {
      tree = Trees.parse(text);
    } catch (IOException broken) {
      visitor.problem(where + ": " + Trees.firstLine(broken));
      return;
    }
    if (tree.isNull() || tree.isMissingNode()) {
      return;
    }
    if (tree.path("spec") instanceof ObjectNode spec) {
      spec.put("datastoreReady", false);
    }
    resource(tree, where, "");
  }

  private void resource(JsonNode tree, String where, String item)
      throws DatastoreException, IOException {
    String path = item.isEmpty() ? "" : item + ".";
    if (!(tree instanceof ObjectNode resource)) {
      visitor.problem(where + ": " + path + "document: expected an object");
      return;
    }
    String kindName = resource.path("kind").asText("");
    Optional<Kind> kind = Kind.ofName(kindName);
    if (kind.isEmpty() || !resource.path("apiVersion").asText("").equals(Kind.API_VERSION)) {
      visitor.problem(
          where
              + ": "
              + path
              + "kind: \""
              + kindName
              + "\" of \""
              + resource.path("apiVersion").asText("")
              + "\" is not a kind of "
              + Kind.API_VERSION
              + " that this version knows");
      return;
    }
    if (!(resource.path("metadata") instanceof ObjectNode metadata)) {
      visitor.problem(where + ": " + path + "metadata: is required");
      return;
    }
    metadata.remove("resourceVersion");
    if (metadata.path("creationTimestamp").isNull()) {
      metadata.remove("creationTimestamp");
    }
    String key;
    try {
      key =
          ResourceKeys.key(
              new ResourceRef(
                  kind.get(),
                  metadata.path("namespace").asText(""),
                  metadata.path("name").asText("")));
    } catch (IllegalArgumentException misnamed) {
      visitor.problem(where + ": " + path + "metadata: " + misnamed.getMessage());
      return;
    }
    String value = Trees.compact(resource);
    // Any revision will do: it is not stored.
    if (ResourceJson.decode(key, value, 1).orElseThrow() instanceof Decoded.Invalid invalid) {
      for (FieldError error : invalid.errors()) {
        visitor.problem(where + ": " + path + error);
      }
      return;
    }
    boolean hasIdentity = isOurs || !metadata.path("uid").asText("").isEmpty();
    visitor.entry(
        new Entry(where + (item.isEmpty() ? "" : ": " + item), key, value, true, hasIdentity));
  }

  private void ipam(BufferedReader json) throws DatastoreException, IOException {
    String where = source + ": IPAM";
    try (JsonParser parser = Trees.JSON.createParser(json)) {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        visitor.problem(where + ": expected a JSON object");
        return;
      }
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String field = parser.currentName();
        parser.nextToken();
        Optional<ExportFormat.Section> section = ExportFormat.Section.ofField(field);
        if (section.isPresent()) {
          section(section.get(), parser);
        } else if (field.equals("format")) {
          format(parser, where);
        } else if (field.equals("sha256")) {
          parser.skipChildren();
        } else {
          visitor.problem(where + ": " + field + ": no such part of an export");
          parser.skipChildren();
        }
      }
    } catch (IOException broken) {
      visitor.problem(where + ": its end is missing or damaged: " + Trees.firstLine(broken));
    }
  }

  private void format(JsonParser parser, String where) throws IOException {
    int format = parser.getValueAsInt(0);
    if (format != ExportFormat.VERSION) {
      visitor.problem(
          where
              + ": format "
              + parser.getText()
              + " is not "
              + ExportFormat.VERSION
              + "; the Margay that wrote it can read it");
    }
  }

  private void section(ExportFormat.Section section, JsonParser parser)
      throws DatastoreException, IOException {
    if (parser.currentToken() != JsonToken.START_ARRAY) {
      document(section, section.field(), parser.readValueAsTree());
      return;
    }
    int index = 0;
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      JsonNode element = parser.readValueAsTree();
      document(section, section.field() + "[" + index + "]", element);
      index++;
    }
  }

  private void document(ExportFormat.Section section, String path, @Nullable JsonNode element)
      throws DatastoreException, IOException {
    String where = source + ": " + path;
    if (element == null || element.isNull()) {
      return;
    }
    String key = element.path("Key").asText("");
    Optional<String> value = value(element);
    if (key.isEmpty() || value.isEmpty()) {
      visitor.problem(where + (key.isEmpty() ? ".Key" : ".Value") + ": is required");
      return;
    }
    Optional<String> problem = problemOf(section, key, value.get());
    if (problem.isPresent()) {
      visitor.problem(where + ": " + problem.get());
      return;
    }
    visitor.entry(new Entry(where, key, value.get(), false, true));
  }

  private static Optional<String> value(JsonNode element) {
    if (element.path("Raw").isTextual()) {
      return Optional.of(element.path("Raw").asText());
    }
    return element.has("Value")
        ? Optional.of(Trees.compact(element.get("Value")))
        : Optional.empty();
  }

  /// Why a document must not be stored as part of IPAM.
  private static Optional<String> problemOf(
      ExportFormat.Section section, String key, String value) {
    if (section == ExportFormat.Section.OTHERS) {
      return ExportFormat.ROOTS.stream().anyMatch(key::startsWith)
          ? Optional.empty()
          : Optional.of(key + " is neither Calico's nor Margay's");
    }
    if (ExportFormat.Section.of(key) != section) {
      return Optional.of(key + " does not belong to " + section.field().replace('_', ' '));
    }
    if (key.equals(IpamKeys.CONFIG)) {
      try {
        IpamConfig.parse(value);
      } catch (IllegalArgumentException unreadable) {
        return Optional.of(String.valueOf(unreadable.getMessage()));
      }
    }
    // Alone, a document contradicts no other; what is left is what is wrong with it itself.
    return IpamCheck.check(List.of(new KeyValue(key, value, 1))).findings().stream()
        .filter(
            finding ->
                switch (finding.kind()) {
                  case UNREADABLE, INCONSISTENT_BLOCK, WRONG_LENGTH, MISSING_ATTRIBUTE -> true;
                  default -> false;
                })
        .findFirst()
        .map(
            finding ->
                finding.kind().name().toLowerCase(Locale.ROOT).replace('_', ' ')
                    + ": "
                    + finding.detail());
  }
}
