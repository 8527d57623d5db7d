package io.margay.datastore.json;

import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JavaType;
import org.jspecify.annotations.Nullable;

/// JSON's parts in words, for error messages.
final class Tokens {

  private Tokens() {}

  static String shown(@Nullable JsonToken token) {
    return switch (token) {
      case START_OBJECT, END_OBJECT, FIELD_NAME -> "an object";
      case START_ARRAY, END_ARRAY -> "a list";
      case VALUE_STRING -> "text";
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> "a number";
      case VALUE_TRUE, VALUE_FALSE -> "true or false";
      case VALUE_NULL -> "null";
      case NOT_AVAILABLE, VALUE_EMBEDDED_OBJECT -> "something else";
      case null -> "nothing";
    };
  }

  static String expected(JavaType type) {
    if (type.isCollectionLikeType()) {
      return "a list";
    }
    Class<?> raw = type.getRawClass();
    if (raw == Integer.class || raw == Long.class) {
      return "an integer";
    }
    if (raw == Double.class) {
      return "a number";
    }
    if (raw == Boolean.class) {
      return "true or false";
    }
    return raw == String.class || raw.isEnum() ? "text" : "an object";
  }
}
