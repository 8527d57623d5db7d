package io.margay.datastore.json;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.deser.std.StdScalarDeserializer;
import java.io.IOException;
import java.util.function.Function;

/// Reads a value that is one word of text (or a number, where that is allowed too). A bad one is
/// noted in the [ErrorSink] and replaced by a stand-in.
final class Leaf<T> extends StdScalarDeserializer<T> {

  private final Function<String, T> parser;
  private final T standIn;
  private final boolean numberAllowed;

  Leaf(Class<T> type, Function<String, T> parser, T standIn, boolean numberAllowed) {
    super(type);
    this.parser = parser;
    this.standIn = standIn;
    this.numberAllowed = numberAllowed;
  }

  @Override
  public T deserialize(JsonParser json, DeserializationContext context) throws IOException {
    JsonToken token = json.currentToken();
    if (token == JsonToken.VALUE_STRING || numberAllowed && token == JsonToken.VALUE_NUMBER_INT) {
      try {
        return parser.apply(json.getText().strip());
      } catch (IllegalArgumentException wrong) {
        ErrorSink.of(context).add(json, String.valueOf(wrong.getMessage()));
        return standIn;
      }
    }
    ErrorSink.of(context)
        .add(
            json,
            (numberAllowed ? "expected a number or text" : "expected text")
                + ", found "
                + Tokens.shown(token));
    json.skipChildren();
    return standIn;
  }
}
