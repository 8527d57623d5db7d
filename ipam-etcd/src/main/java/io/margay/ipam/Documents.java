package io.margay.ipam;

import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.SerializableString;
import com.fasterxml.jackson.core.io.CharacterEscapes;
import com.fasterxml.jackson.core.io.SerializedString;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Reading and writing IPAM's JSON documents.
final class Documents {

  static final JsonMapper JSON =
      JsonMapper.builder(new JsonFactoryBuilder().characterEscapes(new GoEscapes()).build())
          .build();

  /// Go writes what could end a script in a web page as escapes, even in etcd.
  private static final class GoEscapes extends CharacterEscapes {
    private static final long serialVersionUID = 1L;

    private final int[] escapes = standardAsciiEscapesForJSON();

    GoEscapes() {
      for (char each : new char[] {'<', '>', '&'}) {
        escapes[each] = ESCAPE_CUSTOM;
      }
    }

    @Override
    public int[] getEscapeCodesForAscii() {
      return escapes.clone();
    }

    @Override
    public @Nullable SerializableString getEscapeSequence(int character) {
      boolean escaped =
          character == 0x2028
              || character == 0x2029
              || character < escapes.length && escapes[character] == ESCAPE_CUSTOM;
      return escaped
          ? new SerializedString(String.format(Locale.ROOT, "\\u%04x", character))
          : null;
    }
  }

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
