package io.margay.cli.datastore;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.StreamWriteFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.margay.datastore.json.NoAliases;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import org.yaml.snakeyaml.LoaderOptions;

/// Documents as trees: what is stored goes through a file and back without passing any model that
/// might not know a field.
final class Trees {

  /// Longest YAML document accepted, in characters. Calicoctl writes all resources of a kind as
  /// one.
  static final int MAX_DOCUMENT = 256 * 1024 * 1024;

  static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .build();

  private static final ObjectReader ONE_VALUE =
      JSON.reader().with(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  private static final JsonMapper SORTED =
      JsonMapper.builder().enable(JsonNodeFeature.WRITE_PROPERTIES_SORTED).build();

  // Every text in quotes: no reader may take one for a number or a date.
  private static final YAMLMapper YAML =
      YAMLMapper.builder(
              YAMLFactory.builder()
                  .disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER)
                  .disable(YAMLGenerator.Feature.SPLIT_LINES)
                  .enable(StreamWriteFeature.WRITE_BIGDECIMAL_AS_PLAIN)
                  .build())
          .build();

  private static final YAMLFactory YAML_READER = yamlReader();

  private Trees() {}

  private static YAMLFactory yamlReader() {
    LoaderOptions limits = new LoaderOptions();
    limits.setCodePointLimit(MAX_DOCUMENT);
    return YAMLFactory.builder()
        .loaderOptions(limits)
        .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
        .build();
  }

  /// @throws JsonProcessingException when it is not one JSON value
  static JsonNode parse(String json) throws JsonProcessingException {
    return ONE_VALUE.readTree(json);
  }

  /// One line.
  static String compact(JsonNode tree) {
    return write(JSON, tree);
  }

  /// One line that is the same for the same content, whatever the order of its fields.
  static String sorted(JsonNode tree) {
    return write(SORTED, tree);
  }

  static String yaml(JsonNode tree) {
    return write(YAML, tree);
  }

  private static String write(JsonMapper mapper, JsonNode tree) {
    try {
      return mapper.writeValueAsString(tree);
    } catch (JsonProcessingException never) {
      throw new UncheckedIOException(never);
    }
  }

  private static String write(YAMLMapper mapper, JsonNode tree) {
    try {
      return mapper.writeValueAsString(tree);
    } catch (JsonProcessingException never) {
      throw new UncheckedIOException(never);
    }
  }

  /// The documents of a YAML text, blank ones left out.
  ///
  /// @throws IOException when it is not YAML, or has aliases
  static List<JsonNode> parseYaml(String text) throws IOException {
    List<JsonNode> documents = new ArrayList<>();
    try (JsonParser parser = new NoAliases(YAML_READER.createParser(text))) {
      parser.setCodec(JSON);
      while (parser.nextToken() != null) {
        JsonNode tree = parser.readValueAsTree();
        if (tree != null && !tree.isNull() && !tree.isMissingNode()) {
          documents.add(tree);
        }
      }
    }
    return documents;
  }

  /// What is wrong with a text, in one line.
  static String firstLine(IOException broken) {
    if (broken instanceof JsonProcessingException json) {
      int line = json.getLocation() == null ? 0 : json.getLocation().getLineNr();
      String message = json.getOriginalMessage().lines().findFirst().orElse("unreadable");
      return line > 1 ? "line " + line + " of it: " + message : message;
    }
    return String.valueOf(broken.getMessage()).lines().findFirst().orElse("unreadable");
  }
}
