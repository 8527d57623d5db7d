package io.margay.ipam;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/// Reading and writing IPAM's JSON documents.
final class Documents {

  static final JsonMapper JSON = JsonMapper.builder().build();

  private Documents() {}

  static ObjectNode readObject(String json, String what) {
    try {
      if (JSON.readTree(json) instanceof ObjectNode object) {
        return object;
      }
    } catch (JsonProcessingException malformed) {
      throw new IllegalArgumentException(
          what + " is not JSON: " + malformed.getOriginalMessage(), malformed);
    }
    throw new IllegalArgumentException(what + " is not a JSON object");
  }

  static String write(ObjectNode document) {
    try {
      return JSON.writeValueAsString(document);
    } catch (JsonProcessingException impossible) {
      throw new IllegalStateException("a JSON tree could not be written", impossible);
    }
  }

  /// The fields of `object` that we don't know, so that they outlive our rewriting.
  static Map<String, JsonNode> unknownFields(JsonNode object, Set<String> known) {
    Map<String, JsonNode> unknown = new LinkedHashMap<>();
    object
        .properties()
        .forEach(
            field -> {
              if (!known.contains(field.getKey())) {
                unknown.put(field.getKey(), field.getValue());
              }
            });
    return unknown;
  }
}
