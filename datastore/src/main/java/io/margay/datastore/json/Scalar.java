package io.margay.datastore.json;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.exc.InputCoercionException;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.deser.std.StdScalarDeserializer;
import java.io.IOException;
import java.util.Set;

/// Reads JSON's own scalars without converting one into another, as Calico does: `"26"` is no
/// number and `1` is no text. A bad one is noted in the [ErrorSink] and replaced by a stand-in.
final class Scalar<T> extends StdScalarDeserializer<T> {

  private interface Reader<T> {
    T read(JsonParser json) throws IOException;
  }

  static final Scalar<String> TEXT =
      new Scalar<>(String.class, Set.of(JsonToken.VALUE_STRING), JsonParser::getText, "", "text");
  static final Scalar<Boolean> FLAG =
      new Scalar<>(
          Boolean.class,
          Set.of(JsonToken.VALUE_TRUE, JsonToken.VALUE_FALSE),
          JsonParser::getBooleanValue,
          false,
          "true or false");
  static final Scalar<Integer> INTEGER =
      new Scalar<>(
          Integer.class,
          Set.of(JsonToken.VALUE_NUMBER_INT),
          JsonParser::getIntValue,
          0,
          "an integer");
  static final Scalar<Long> LONG =
      new Scalar<>(
          Long.class,
          Set.of(JsonToken.VALUE_NUMBER_INT),
          JsonParser::getLongValue,
          0L,
          "an integer");
  static final Scalar<Double> DOUBLE =
      new Scalar<>(
          Double.class,
          Set.of(JsonToken.VALUE_NUMBER_INT, JsonToken.VALUE_NUMBER_FLOAT),
          JsonParser::getDoubleValue,
          0d,
          "a number");

  private final Set<JsonToken> tokens;
  private final transient Reader<T> reader;
  private final T standIn;
  private final String noun;

  private Scalar(Class<T> type, Set<JsonToken> tokens, Reader<T> reader, T standIn, String noun) {
    super(type);
    this.tokens = tokens;
    this.reader = reader;
    this.standIn = standIn;
    this.noun = noun;
  }

  @Override
  public T deserialize(JsonParser json, DeserializationContext context) throws IOException {
    if (!tokens.contains(json.currentToken())) {
      ErrorSink.of(context)
          .add(json, "expected " + noun + ", found " + Tokens.shown(json.currentToken()));
      json.skipChildren();
      return standIn;
    }
    try {
      return reader.read(json);
    } catch (InputCoercionException outOfRange) {
      ErrorSink.of(context).add(json, json.getText() + " is too large");
      return standIn;
    }
  }
}
