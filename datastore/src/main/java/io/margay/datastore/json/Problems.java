package io.margay.datastore.json;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.JavaType;
import com.fasterxml.jackson.databind.JsonDeserializer;
import com.fasterxml.jackson.databind.deser.DeserializationProblemHandler;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Notes a bad value in the [ErrorSink] and lets the reading go on behind it, where a stand-in
/// exists.
final class Problems extends DeserializationProblemHandler {

  /// What is said of a field where unknown ones are not taken.
  static final String NO_SUCH_FIELD = "no such field";

  @Override
  public boolean handleUnknownProperty(
      DeserializationContext context,
      JsonParser json,
      JsonDeserializer<?> deserializer,
      Object bean,
      String name)
      throws IOException {
    ErrorSink.of(context).addUnknown(json, name);
    json.skipChildren();
    return true;
  }

  @Override
  public Object handleWeirdStringValue(
      DeserializationContext context, Class<?> type, String value, String message) {
    Object[] constants = type.getEnumConstants();
    if (constants == null || constants.length == 0) {
      return NOT_HANDLED;
    }
    List<String> allowed = new ArrayList<>();
    for (Object constant : constants) {
      allowed.add(word(type, (Enum<?>) constant));
    }
    ErrorSink.of(context)
        .add(context.getParser(), "\"" + value + "\" is not one of " + String.join(", ", allowed));
    return constants[0];
  }

  private static String word(Class<?> type, Enum<?> constant) {
    try {
      JsonProperty name = type.getField(constant.name()).getAnnotation(JsonProperty.class);
      return name == null ? constant.name() : name.value();
    } catch (NoSuchFieldException never) {
      throw new IllegalStateException(type + " has no field of its constant " + constant, never);
    }
  }

  @Override
  public Object handleUnexpectedToken(
      DeserializationContext context,
      JavaType type,
      JsonToken token,
      JsonParser json,
      @Nullable String message)
      throws IOException {
    Class<?> raw = type.getRawClass();
    if (raw != List.class && raw != Map.class) {
      return NOT_HANDLED;
    }
    ErrorSink.of(context)
        .add(json, "expected " + Tokens.expected(type) + ", found " + Tokens.shown(token));
    json.skipChildren();
    return raw == List.class ? List.of() : Map.of();
  }
}
