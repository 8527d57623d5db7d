package io.margay.cni.spec;

import com.fasterxml.jackson.databind.JsonNode;
import io.margay.model.net.IpAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// A JSON object read as Go's decoder reads it, for that is what every runtime writes for: keys
/// match without regard to case (an exact match wins), `null` is absence. Runtimes do send both
/// spellings of the same key.
final class ConfNode {

  private final JsonNode object;
  private final String path;

  ConfNode(JsonNode object, String path) {
    this.object = object;
    this.path = path;
  }

  Optional<JsonNode> get(String key) {
    JsonNode found = object.get(key);
    if (found == null) {
      for (Map.Entry<String, JsonNode> field : object.properties()) {
        if (field.getKey().equalsIgnoreCase(key)) {
          found = field.getValue();
        }
      }
    }
    return Optional.ofNullable(found).filter(node -> !node.isNull());
  }

  boolean has(String key) {
    for (Map.Entry<String, JsonNode> field : object.properties()) {
      if (field.getKey().equalsIgnoreCase(key)) {
        return true;
      }
    }
    return false;
  }

  Iterable<Map.Entry<String, JsonNode>> fields() {
    return object.properties();
  }

  String path(String key) {
    return path.isEmpty() ? key : path + "." + key;
  }

  Optional<String> string(String key) throws CniException {
    Optional<JsonNode> node = get(key);
    if (node.isPresent() && !node.get().isTextual()) {
      throw wrong(key, node.get(), "a string");
    }
    return node.map(JsonNode::asText);
  }

  /// A boolean, or the strings "true" and "false" that Calico's and libcni's configurations use.
  boolean bool(String key, boolean whenAbsent) throws CniException {
    Optional<JsonNode> node = get(key);
    if (node.isEmpty()) {
      return whenAbsent;
    }
    return switch (node.get().asText().toLowerCase(Locale.ROOT)) {
      case "true" -> true;
      case "false" -> false;
      default -> throw wrong(key, node.get(), "true or false");
    };
  }

  int integer(String key, int whenAbsent, int least, int most) throws CniException {
    Optional<JsonNode> node = get(key);
    if (node.isEmpty()) {
      return whenAbsent;
    }
    if (!node.get().canConvertToInt()
        || !node.get().isIntegralNumber()
        || node.get().asInt() < least
        || node.get().asInt() > most) {
      throw wrong(key, node.get(), "a whole number from " + least + " to " + most);
    }
    return node.get().asInt();
  }

  /// As [#integer], for what does not fit one.
  long number(String key, long whenAbsent, long least, long most) throws CniException {
    Optional<JsonNode> node = get(key);
    if (node.isEmpty()) {
      return whenAbsent;
    }
    if (!node.get().canConvertToLong()
        || !node.get().isIntegralNumber()
        || node.get().asLong() < least
        || node.get().asLong() > most) {
      throw wrong(key, node.get(), "a whole number from " + least + " to " + most);
    }
    return node.get().asLong();
  }

  /// The object under `key`; an empty one when absent.
  ConfNode object(String key) throws CniException {
    Optional<JsonNode> node = get(key);
    if (node.isPresent() && !node.get().isObject()) {
      throw wrong(key, node.get(), "an object");
    }
    return new ConfNode(node.orElseGet(CniJson::newObject), path(key));
  }

  List<JsonNode> list(String key) throws CniException {
    Optional<JsonNode> node = get(key);
    if (node.isPresent() && !node.get().isArray()) {
      throw wrong(key, node.get(), "a list");
    }
    List<JsonNode> items = new ArrayList<>();
    node.ifPresent(array -> array.forEach(items::add));
    return items;
  }

  List<ConfNode> objects(String key) throws CniException {
    List<ConfNode> objects = new ArrayList<>();
    for (JsonNode item : list(key)) {
      if (!item.isObject()) {
        throw wrong(key, item, "a list of objects");
      }
      objects.add(new ConfNode(item, path(key) + "[" + objects.size() + "]"));
    }
    return objects;
  }

  /// One list in a list of lists.
  record Lists(List<ConfNode> objects) {}

  /// A list of lists of objects.
  List<Lists> listsOfObjects(String key) throws CniException {
    List<Lists> lists = new ArrayList<>();
    for (JsonNode inner : list(key)) {
      List<ConfNode> objects = new ArrayList<>();
      for (JsonNode item : inner) {
        if (!item.isObject()) {
          throw wrong(key, item, "a list of lists of objects");
        }
        objects.add(
            new ConfNode(item, path(key) + "[" + lists.size() + "][" + objects.size() + "]"));
      }
      lists.add(new Lists(objects));
    }
    return lists;
  }

  List<String> strings(String key) throws CniException {
    List<String> strings = new ArrayList<>();
    for (JsonNode item : list(key)) {
      if (!item.isTextual()) {
        throw wrong(key, item, "a list of strings");
      }
      strings.add(item.asText());
    }
    return strings;
  }

  /// Addresses written bare or with a prefix length, which is dropped: every address of ours is a
  /// host route.
  List<IpAddress> addresses(String key) throws CniException {
    List<IpAddress> addresses = new ArrayList<>();
    for (String text : strings(key)) {
      addresses.add(address(path(key), text));
    }
    return addresses;
  }

  static IpAddress address(String where, String text) throws CniException {
    int slash = text.indexOf('/');
    try {
      return IpAddress.parse(slash < 0 ? text : text.substring(0, slash));
    } catch (IllegalArgumentException notAnAddress) {
      throw new CniException(
          CniError.BAD_CONFIG,
          "key " + where + ": \"" + text + "\" is not an IP address",
          notAnAddress);
    }
  }

  CniException wrong(String key, JsonNode found, String expected) {
    String text = found.toString();
    return new CniException(
        CniError.BAD_CONFIG,
        "key "
            + path(key)
            + ": "
            + (text.length() > 60 ? text.substring(0, 60) + "..." : text)
            + " found, "
            + expected
            + " expected");
  }
}
