package io.margay.datastore.json;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonStreamContext;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.JsonMappingException;
import io.margay.model.resource.FieldError;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Collects what is wrong with one document while it is read, so that reading can go on and find
/// more. A document with an entry here is refused whole; what was put in place of a bad value never
/// leaves.
final class ErrorSink {

  private static final Object KEY = ErrorSink.class;

  private final List<FieldError> found = new ArrayList<>();

  /// The attribute under which Jackson hands the sink to the leaf deserializers.
  static Object key() {
    return KEY;
  }

  static ErrorSink of(DeserializationContext context) {
    return (ErrorSink) context.getAttribute(KEY);
  }

  List<FieldError> found() {
    return List.copyOf(found);
  }

  void add(JsonParser at, String message) {
    found.add(new FieldError(path(fieldOf(at)), message));
  }

  /// @param at the value of a field that its record does not have
  void addUnknown(JsonParser at, String name) {
    JsonStreamContext field = fieldOf(at);
    if (!field.inObject() && field.getParent() != null) {
      // To a list that was buffered, the record around it looks like a list itself.
      String record = path(field.getParent());
      found.add(new FieldError(record + "." + name, Problems.NO_SUCH_FIELD));
    } else {
      found.add(new FieldError(path(field), Problems.NO_SUCH_FIELD));
    }
  }

  /// On its first token a list or object is already its own context; the field is its parent's.
  private static JsonStreamContext fieldOf(JsonParser at) {
    JsonStreamContext context = at.getParsingContext();
    JsonToken token = at.currentToken();
    boolean entered = token != null && token.isStructStart() && context.getParent() != null;
    return entered ? context.getParent() : context;
  }

  void add(String path, String message) {
    found.add(new FieldError(path, message));
  }

  void add(JsonMappingException failure, String message) {
    StringBuilder path = new StringBuilder();
    for (JsonMappingException.Reference step : failure.getPath()) {
      append(path, step.getFieldName(), step.getIndex());
    }
    found.add(new FieldError(path.isEmpty() ? "document" : path.toString(), message));
  }

  private static String path(JsonStreamContext context) {
    StringBuilder path = new StringBuilder();
    write(context, path);
    return path.isEmpty() ? "document" : path.toString();
  }

  private static void write(JsonStreamContext context, StringBuilder path) {
    if (context.getParent() != null) {
      write(context.getParent(), path);
    }
    if (context.inObject() && context.hasCurrentName()) {
      append(path, context.getCurrentName(), -1);
    } else if (context.inArray()) {
      append(path, null, context.getCurrentIndex());
    }
  }

  private static void append(StringBuilder path, @Nullable String field, int index) {
    if (field == null) {
      path.append('[').append(Math.max(index, 0)).append(']');
    } else {
      path.append(path.isEmpty() ? "" : ".").append(field);
    }
  }
}
