package io.margay.cli.yaml;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;

/// A place in a YAML document that knows its key path, so that whatever is wrong there is said in
/// one line: `FILE: key.path: expected …, got …`.
public final class StrictYaml {

  private static final int SHOWN_CHARACTERS = 60;

  private final String source;
  private final String path;
  private final JsonNode json;

  private StrictYaml(String source, String path, JsonNode json) {
    this.source = source;
    this.path = path;
    this.json = json;
  }

  public static StrictYaml parse(String source, String text) throws YamlException {
    try {
      JsonNode document =
          YAMLMapper.builder(
                  YAMLFactory.builder()
                      .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                      .build())
              .build()
              .readTree(text);
      return new StrictYaml(source, "", document == null ? MissingNode.getInstance() : document);
    } catch (JacksonException malformed) {
      int line = malformed.getLocation() == null ? 0 : malformed.getLocation().getLineNr();
      String cause = malformed.getOriginalMessage().lines().findFirst().orElse("unreadable");
      throw new YamlException(source + ": line " + line + ": expected YAML, got " + cause);
    }
  }

  /// Refuses anything but a mapping of these keys.
  public StrictYaml mappingOf(String... keys) throws YamlException {
    if (!json.isObject()) {
      throw expected("a mapping");
    }
    Set<String> known = new TreeSet<>(List.of(keys));
    for (String key : names()) {
      if (!known.contains(key)) {
        throw new YamlException(
            source
                + ": "
                + at(key)
                + ": expected one of "
                + String.join(", ", known)
                + ", got the unknown key \""
                + key
                + "\"");
      }
    }
    return this;
  }

  public boolean has(String key) {
    JsonNode value = json.get(key);
    return value != null && !value.isNull();
  }

  public StrictYaml child(String key) {
    JsonNode value = json.get(key);
    return new StrictYaml(
        source, at(key), value == null || value.isNull() ? MissingNode.getInstance() : value);
  }

  /// The list's items, at least `least` of them.
  public List<StrictYaml> items(int least, String what) throws YamlException {
    if (!json.isArray() || json.size() < least) {
      throw expected((least > 0 ? "a list of at least " + least + " of " : "a list of ") + what);
    }
    List<StrictYaml> items = new ArrayList<>();
    for (int i = 0; i < json.size(); i++) {
      items.add(new StrictYaml(source, path + "[" + i + "]", json.get(i)));
    }
    return items;
  }

  /// The scalar here, as `parse` takes it.
  ///
  /// @param expectation what `parse` accepts, in words; it throws [IllegalArgumentException] for
  ///   anything else
  public <T> T scalar(String expectation, Function<String, T> parse) throws YamlException {
    if (!isScalar()) {
      throw expected(expectation);
    }
    try {
      return parse.apply(json.asText());
    } catch (IllegalArgumentException refused) {
      throw expected(expectation);
    }
  }

  public <T> Optional<T> optional(String key, String expectation, Function<String, T> parse)
      throws YamlException {
    return has(key) ? Optional.of(child(key).scalar(expectation, parse)) : Optional.empty();
  }

  /// The text here, which no message shows.
  public String secret(String expectation) throws YamlException {
    if (!json.isTextual()) {
      throw problem(
          "expected "
              + expectation
              + (isScalar() ? ", in quotes, got a number or a truth value" : ", got none"));
    }
    return json.asText();
  }

  /// A whole number or a text, as `parse` takes it; a number with a fraction is refused, because
  /// YAML drops the zeros at its end.
  public <T> T wholeOrText(String expectation, Function<String, T> parse) throws YamlException {
    if (!json.isIntegralNumber() && !json.isTextual()) {
      throw expected(expectation);
    }
    return scalar(expectation, parse);
  }

  /// Whether nothing is here.
  public boolean isAbsent() {
    return isMissing();
  }

  /// Whether this is a single value: a text, a number, true or false.
  public boolean isScalar() {
    return json.isValueNode() && !isMissing();
  }

  /// Whether this is a list.
  public boolean isList() {
    return json.isArray();
  }

  /// Whether this is a text.
  public boolean isText() {
    return json.isTextual();
  }

  /// Whether this is true or false.
  public boolean isTruth() {
    return json.isBoolean();
  }

  private boolean isMissing() {
    return json.isMissingNode() || json.isNull();
  }

  /// Where this is in the document: `neighbors[1].holdTime`; empty for the document itself.
  public String path() {
    return path;
  }

  /// A whole number within bounds.
  public int number(String key, int fallback, int least, int most) throws YamlException {
    if (!has(key)) {
      return fallback;
    }
    StrictYaml value = child(key);
    String expectation = "a whole number, " + least + " to " + most;
    if (!value.json.isInt() || value.json.asInt() < least || value.json.asInt() > most) {
      throw value.expected(expectation);
    }
    return value.json.asInt();
  }

  public boolean truth(String key, boolean fallback) throws YamlException {
    if (!has(key)) {
      return fallback;
    }
    StrictYaml value = child(key);
    if (!value.json.isBoolean()) {
      throw value.expected("true or false");
    }
    return value.json.asBoolean();
  }

  /// A mapping of texts, in the file's order.
  public Map<String, String> texts(String key) throws YamlException {
    if (!has(key)) {
      return Map.of();
    }
    StrictYaml mapping = child(key);
    if (!mapping.json.isObject()) {
      throw mapping.expected("a mapping of texts");
    }
    Map<String, String> texts = new LinkedHashMap<>();
    for (String name : mapping.names()) {
      texts.put(name, mapping.child(name).scalar("a text", Function.identity()));
    }
    return texts;
  }

  /// The mapping's values, in the file's order.
  public List<StrictYaml> entries(String expectation) throws YamlException {
    if (!json.isObject()) {
      throw expected(expectation);
    }
    List<StrictYaml> entries = new ArrayList<>();
    for (String name : names()) {
      entries.add(child(name));
    }
    return entries;
  }

  /// The last key of the path.
  public String name() {
    return path.substring(path.lastIndexOf('.') + 1);
  }

  public List<String> names() {
    List<String> names = new ArrayList<>();
    json.fieldNames().forEachRemaining(names::add);
    return names;
  }

  /// A mistake that is no wrong kind of value, said in one line.
  public YamlException problem(String what) {
    return new YamlException(source + ": " + (path.isEmpty() ? "" : path + ": ") + what);
  }

  public YamlException expected(String expectation) {
    String got = isMissing() ? "nothing" : json.toString();
    if (got.length() > SHOWN_CHARACTERS) {
      got = got.substring(0, SHOWN_CHARACTERS) + "…";
    }
    return problem("expected " + expectation + ", got " + got);
  }

  private String at(String key) {
    return path.isEmpty() ? key : path + "." + key;
  }
}
