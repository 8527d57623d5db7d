package io.margay.cli.resource;

import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// A change to a document, as `patch -p` gives it.
sealed interface Patch {

  /// How a patch is meant.
  enum Type {
    /// Kubernetes' strategic merge: on Calico's kinds a merge, but finalizers are added.
    strategic,
    /// RFC 7386.
    merge,
    /// RFC 6902.
    json
  }

  /// A patch that can't be read, or not be applied to what is stored.
  final class PatchException extends Exception {
    private static final long serialVersionUID = 1L;

    PatchException(String message) {
      super(message);
    }
  }

  /// The document with the change made; the one given stays as it is.
  JsonNode applyTo(JsonNode document) throws PatchException;

  static Patch parse(Type type, String text) throws PatchException {
    JsonNode patch;
    try {
      patch = new JsonMapper().readTree(text);
    } catch (JsonProcessingException broken) {
      throw new PatchException(
          "-p: is not JSON: " + broken.getOriginalMessage().lines().findFirst().orElse(""));
    }
    if (type == Type.json) {
      if (patch == null || !patch.isArray()) {
        throw new PatchException("-p: --type json takes a list of operations");
      }
      List<Operation> operations = new ArrayList<>();
      for (JsonNode operation : patch) {
        operations.add(Operation.parse(operation, operations.size()));
      }
      return new Operations(operations);
    }
    if (!(patch instanceof ObjectNode object)) {
      throw new PatchException("-p: --type " + type + " takes an object");
    }
    if (type == Type.strategic) {
      refuseDirectives(object, "");
    }
    return new Merge(object, type == Type.strategic);
  }

  private static void refuseDirectives(JsonNode node, String path) throws PatchException {
    for (Map.Entry<String, JsonNode> field : node.properties()) {
      if (field.getKey().startsWith("$")) {
        throw new PatchException(
            "-p: " + path + field.getKey() + " is not supported; use --type json");
      }
      refuseDirectives(field.getValue(), path + field.getKey() + ".");
    }
  }

  /// Fields replace fields, null removes them, objects are gone into.
  record Merge(ObjectNode patch, boolean strategic) implements Patch {

    @Override
    public JsonNode applyTo(JsonNode document) {
      JsonNode merged = merged(document.deepCopy(), patch);
      if (strategic && merged.path("metadata") instanceof ObjectNode metadata) {
        ArrayNode all = document.path("metadata").withArray("finalizers").deepCopy();
        for (JsonNode given : patch.path("metadata").path("finalizers")) {
          boolean there = false;
          for (JsonNode one : all) {
            there |= one.equals(given);
          }
          if (!there) {
            all.add(given);
          }
        }
        if (!all.isEmpty()) {
          metadata.set("finalizers", all);
        }
      }
      return merged;
    }

    private static JsonNode merged(JsonNode target, JsonNode patch) {
      if (!patch.isObject()) {
        return patch;
      }
      ObjectNode result =
          target instanceof ObjectNode object ? object : new JsonMapper().createObjectNode();
      for (Map.Entry<String, JsonNode> field : patch.properties()) {
        if (field.getValue().isNull()) {
          result.remove(field.getKey());
        } else {
          result.set(field.getKey(), merged(result.path(field.getKey()), field.getValue()));
        }
      }
      return result;
    }
  }

  /// Operations, all or none.
  record Operations(List<Operation> operations) implements Patch {
    @Override
    public JsonNode applyTo(JsonNode document) throws PatchException {
      JsonNode result = document.deepCopy();
      for (Operation operation : operations) {
        result = operation.applyTo(result);
      }
      return result;
    }
  }

  /// One operation of a JSON patch.
  ///
  /// @param from where `move` and `copy` take it from
  record Operation(String op, JsonPointer path, JsonPointer from, JsonNode value) {

    private static final List<String> OPS =
        List.of("add", "remove", "replace", "move", "copy", "test");

    static Operation parse(JsonNode operation, int index) throws PatchException {
      String at = "-p: [" + index + "]";
      String op = operation.path("op").asText();
      if (!OPS.contains(op)) {
        throw new PatchException(
            at + ".op: \"" + op + "\" is not one of " + String.join(", ", OPS));
      }
      if (List.of("add", "replace", "test").contains(op) && !operation.has("value")) {
        throw new PatchException(at + ".value: is required");
      }
      boolean takesFrom = op.equals("move") || op.equals("copy");
      return new Operation(
          op,
          pointer(operation, "path", at),
          takesFrom ? pointer(operation, "from", at) : JsonPointer.empty(),
          operation.path("value"));
    }

    private static JsonPointer pointer(JsonNode operation, String field, String at)
        throws PatchException {
      try {
        if (operation.path(field).isTextual()) {
          return JsonPointer.compile(operation.path(field).asText());
        }
      } catch (IllegalArgumentException malformed) {
        // Said below.
      }
      throw new PatchException(at + "." + field + ": expected a path such as /spec/order");
    }

    JsonNode applyTo(JsonNode document) throws PatchException {
      switch (op) {
        case "test" -> {
          if (!document.at(path).equals(value)) {
            throw new PatchException("test of " + path + " fails: it is " + document.at(path));
          }
        }
        case "add" -> add(document, path, value);
        case "remove" -> remove(document, path);
        case "replace" -> {
          required(document, path);
          if (parent(document, path) instanceof ArrayNode list) {
            list.set(index(path, list), value);
          } else {
            add(document, path, value);
          }
        }
        case "move" -> {
          JsonNode moved = required(document, from);
          remove(document, from);
          add(document, path, moved);
        }
        default -> add(document, path, required(document, from).deepCopy());
      }
      return document;
    }

    private static void add(JsonNode document, JsonPointer at, JsonNode value)
        throws PatchException {
      switch (parent(document, at)) {
        case ObjectNode object -> object.set(last(at), value.deepCopy());
        case ArrayNode list when last(at).equals("-") -> list.add(value.deepCopy());
        case ArrayNode list -> list.insert(index(at, list), value.deepCopy());
        default -> throw new PatchException(at + ": there is nothing to add to");
      }
    }

    private static void remove(JsonNode document, JsonPointer at) throws PatchException {
      required(document, at);
      switch (parent(document, at)) {
        case ObjectNode object -> object.remove(last(at));
        case ArrayNode list -> list.remove(index(at, list));
        default -> throw new PatchException(at + ": can't be removed");
      }
    }

    private static JsonNode required(JsonNode document, JsonPointer at) throws PatchException {
      JsonNode found = document.at(at);
      if (found.isMissingNode()) {
        throw new PatchException(at + ": is not there");
      }
      return found;
    }

    private static JsonNode parent(JsonNode document, JsonPointer at) throws PatchException {
      JsonPointer head = at.head();
      if (head == null) {
        throw new PatchException("the whole document can't be replaced; use replace -f");
      }
      return document.at(head);
    }

    private static String last(JsonPointer at) {
      return at.last().getMatchingProperty();
    }

    private static int index(JsonPointer at, ArrayNode list) throws PatchException {
      int index = at.last().getMatchingIndex();
      if (index < 0 || index > list.size()) {
        throw new PatchException(at + ": is not a position in a list of " + list.size());
      }
      return index;
    }
  }
}
