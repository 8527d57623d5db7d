package io.margay.datastore.file;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.margay.model.resource.ResourceRef;
import java.io.IOException;

/// A resource's JSON text, as the store keeps it, and the same as YAML for people.
final class ResourceYaml {

  private static final ObjectMapper JSON =
      JsonMapper.builder()
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
          .build();

  private static final YAMLMapper PLAIN = yaml(true);
  private static final YAMLMapper QUOTED = yaml(false);

  private ResourceYaml() {}

  /// Not a document of this resource.
  static final class UnreadableException extends Exception {
    private static final long serialVersionUID = 1L;

    UnreadableException(String message) {
      super(message);
    }
  }

  private static YAMLMapper yaml(boolean minimal) {
    return YAMLMapper.builder(
            YAMLFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build())
        .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
        .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
        .disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER)
        .disable(YAMLGenerator.Feature.SPLIT_LINES)
        .configure(YAMLGenerator.Feature.MINIMIZE_QUOTES, minimal)
        .enable(YAMLGenerator.Feature.ALWAYS_QUOTE_NUMBERS_AS_STRINGS)
        .build();
  }

  /// The same JSON in the one spelling a file gives back: no blanks, fields in the order given.
  static String canonical(String json) throws UnreadableException {
    try {
      JsonNode tree = JSON.readTree(json);
      if (!tree.isObject()) {
        throw new UnreadableException("a resource's value must be a JSON object");
      }
      return JSON.writeValueAsString(tree);
    } catch (JacksonException malformed) {
      throw new UnreadableException("not JSON: " + firstLine(malformed));
    }
  }

  /// @param json canonical
  static String toYaml(String json) throws UnreadableException {
    try {
      JsonNode tree = JSON.readTree(json);
      String text = PLAIN.writeValueAsString(tree);
      if (isSame(text, json)) {
        return text;
      }
      // Some plain word of YAML would be read as something else.
      String quoted = QUOTED.writeValueAsString(tree);
      if (!isSame(quoted, json)) {
        throw new UnreadableException("this JSON can't be said in YAML");
      }
      return quoted;
    } catch (JacksonException impossible) {
      throw new UnreadableException(firstLine(impossible));
    }
  }

  private static boolean isSame(String yaml, String json) {
    try {
      return JSON.writeValueAsString(PLAIN.readTree(yaml)).equals(json);
    } catch (JacksonException another) {
      return false;
    }
  }

  /// Reads one document and checks that it is the resource its file name says.
  static String toJson(String yaml, ResourceRef expected) throws UnreadableException {
    JsonNode tree;
    try (MappingIterator<JsonNode> documents = PLAIN.readerFor(JsonNode.class).readValues(yaml)) {
      if (!documents.hasNextValue()) {
        throw new UnreadableException("empty; delete the file to delete the resource");
      }
      tree = documents.nextValue();
      if (documents.hasNextValue()) {
        throw new UnreadableException("more than one document; give each a file of its own");
      }
    } catch (JacksonException malformed) {
      throw new UnreadableException("not YAML: " + firstLine(malformed));
    } catch (IOException impossible) {
      throw new UnreadableException("not readable: " + impossible.getMessage());
    }
    if (!tree.isObject()) {
      throw new UnreadableException("not a mapping; expected apiVersion, kind, metadata, spec");
    }
    require("kind", expected.kind().kindName(), tree.path("kind"));
    require("metadata.name", expected.name(), tree.path("metadata").path("name"));
    if (expected.kind().isNamespaced()) {
      require("metadata.namespace", expected.namespace(), tree.path("metadata").path("namespace"));
    }
    try {
      return JSON.writeValueAsString(tree);
    } catch (JacksonException impossible) {
      throw new UnreadableException(firstLine(impossible));
    }
  }

  private static void require(String path, String expected, JsonNode found)
      throws UnreadableException {
    if (!found.asText().equals(expected)) {
      throw new UnreadableException(
          path + ": is \"" + found.asText() + "\", but the file's place says \"" + expected + "\"");
    }
  }

  private static String firstLine(JacksonException problem) {
    String text = problem.getOriginalMessage();
    int end = text.indexOf('\n');
    String line = end < 0 ? text : text.substring(0, end);
    return problem.getLocation() == null
        ? line
        : line + " (line " + problem.getLocation().getLineNr() + ")";
  }
}
