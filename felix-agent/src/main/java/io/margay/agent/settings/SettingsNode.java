package io.margay.agent.settings;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// One mapping of a settings document, read strictly: every key must be asked for, every value must
/// parse. Knows its path, so that every error names it.
final class SettingsNode {

  private final String source;
  private final String path;
  private final @Nullable JsonNode json;
  private final Map<String, String> environment;
  private final Set<String> known = new HashSet<>();
  private final List<SettingsNode> children = new ArrayList<>();

  SettingsNode(String source, String path, @Nullable JsonNode json, Map<String, String> environment)
      throws SettingsException {
    this.source = source;
    this.path = path;
    this.environment = environment;
    this.json = json == null || json.isNull() || json.isMissingNode() ? null : json;
    if (this.json != null && !this.json.isObject()) {
      throw error(path, "a mapping", this.json);
    }
  }

  /// The mapping under `key`; an absent one reads as empty.
  SettingsNode mapping(String key) throws SettingsException {
    known.add(key);
    SettingsNode child =
        new SettingsNode(source, at(key), json == null ? null : json.get(key), environment);
    children.add(child);
    return child;
  }

  /// The scalar under `key`, from the environment if it is set there, else from the file.
  ///
  /// @param expected what a value must be, as the error says it
  /// @param parse throws [IllegalArgumentException] for a value it does not take
  <T> Optional<T> scalar(String key, String expected, Function<String, T> parse)
      throws SettingsException {
    known.add(key);
    String variable = variable(key);
    String fromEnvironment = environment.get(variable);
    if (fromEnvironment != null) {
      return Optional.of(parsed("environment", variable, fromEnvironment, expected, parse));
    }
    JsonNode value = json == null ? null : json.get(key);
    if (value == null || value.isNull()) {
      return Optional.empty();
    }
    if (!value.isValueNode()) {
      throw error(at(key), expected, value);
    }
    return Optional.of(parsed(source, at(key), value.asText(), expected, parse));
  }

  /// The list of scalars under `key`; in the environment, separated by commas.
  <T> List<T> list(String key, String expected, Function<String, T> parse)
      throws SettingsException {
    known.add(key);
    String variable = variable(key);
    String fromEnvironment = environment.get(variable);
    List<T> values = new ArrayList<>();
    if (fromEnvironment != null) {
      for (String item : fromEnvironment.split(",", -1)) {
        values.add(parsed("environment", variable, item.strip(), expected, parse));
      }
      return values;
    }
    JsonNode array = json == null ? null : json.get(key);
    if (array == null || array.isNull()) {
      return values;
    }
    if (!array.isArray()) {
      throw error(at(key), "a list of " + expected, array);
    }
    for (int i = 0; i < array.size(); i++) {
      JsonNode item = array.get(i);
      String itemPath = at(key) + "[" + i + "]";
      if (!item.isValueNode() || item.isNull()) {
        throw error(itemPath, expected, item);
      }
      values.add(parsed(source, itemPath, item.asText(), expected, parse));
    }
    return values;
  }

  /// Refuses keys nobody asked for, here and below.
  void refuseUnknownKeys() throws SettingsException {
    if (json != null) {
      for (Map.Entry<String, JsonNode> field : json.properties()) {
        if (!known.contains(field.getKey())) {
          throw new SettingsException(
              source
                  + ": "
                  + at(field.getKey())
                  + ": unknown key; known here: "
                  + String.join(", ", known.stream().sorted().toList()));
        }
      }
    }
    for (SettingsNode child : children) {
      child.refuseUnknownKeys();
    }
  }

  SettingsException missing(String key, String expected) {
    return new SettingsException(
        source
            + ": "
            + at(key)
            + ": missing; expected "
            + expected
            + " (or "
            + variable(key)
            + ")");
  }

  private static <T> T parsed(
      String source, String at, String text, String expected, Function<String, T> parse)
      throws SettingsException {
    try {
      return parse.apply(text);
    } catch (IllegalArgumentException refused) {
      throw new SettingsException(
          source + ": " + at + ": expected " + expected + ", got \"" + text + "\"");
    }
  }

  private SettingsException error(String at, String expected, JsonNode got) {
    String where = at.isEmpty() ? source : source + ": " + at;
    String text = got.toString();
    return new SettingsException(
        where
            + ": expected "
            + expected
            + ", got "
            + (text.length() > 60 ? text.substring(0, 60) + "…" : text));
  }

  private String at(String key) {
    return path.isEmpty() ? key : path + "." + key;
  }

  /// `bgp.asNumber` is `MARGAY_BGP_AS_NUMBER`.
  private String variable(String key) {
    String words = at(key).replace('.', '_').replaceAll("([a-z0-9])([A-Z])", "$1_$2");
    return "MARGAY_" + words.toUpperCase(java.util.Locale.ROOT);
  }
}
