package io.margay.cli.output;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/// What Go's templates do with values: truth, printing, fields, and the functions by name: Go's
/// `and or not eq ne lt le gt ge len index print println printf` and calicoctl's `join` and
/// `joinAndTruncate`.
final class GoFunctions {

  static final Set<String> NAMES =
      Set.of(
          "and",
          "or",
          "not",
          "eq",
          "ne",
          "lt",
          "le",
          "gt",
          "ge",
          "len",
          "index",
          "print",
          "println",
          "printf",
          "join",
          "joinAndTruncate");

  private static final String METADATA = "metadata";
  private static final String ELLIPSIS = "...";

  private GoFunctions() {}

  static boolean isTrue(JsonNode value) {
    return switch (value.getNodeType()) {
      case ARRAY, OBJECT -> !value.isEmpty();
      case STRING -> !value.asText().isEmpty();
      case NUMBER -> value.asDouble() != 0;
      case BOOLEAN -> value.asBoolean();
      case NULL, MISSING, BINARY, POJO -> false;
    };
  }

  /// Lists as `[a b]`, maps as `map[a:1 b:2]`, nothing as nothing.
  static String text(JsonNode value) {
    if (value.isArray()) {
      List<String> items = new ArrayList<>();
      value.forEach(item -> items.add(text(item)));
      return "[" + String.join(" ", items) + "]";
    }
    return value.isObject()
        ? sorted(value).stream()
            .map(entry -> entry.getKey() + ":" + text(entry.getValue()))
            .collect(Collectors.joining(" ", "map[", "]"))
        : value.isNull() ? "" : value.asText();
  }

  static List<Map.Entry<String, JsonNode>> sorted(JsonNode map) {
    return map.properties().stream().sorted(Map.Entry.comparingByKey()).toList();
  }

  /// The field of that name, in a document's spelling or Go's: `ObjectMeta` is the metadata, whose
  /// fields are also the document's own.
  static JsonNode field(JsonNode node, String name) {
    JsonNode exact = node.path(name);
    if (!exact.isMissingNode()) {
      return exact;
    }
    if (!node.isObject() || name.equals("TypeMeta")) {
      return node.isObject() ? node : MissingNode.getInstance();
    }
    if (name.equals("ObjectMeta") || name.equals("ListMeta")) {
      return node.path(METADATA);
    }
    for (Map.Entry<String, JsonNode> entry : node.properties()) {
      if (entry.getKey().equalsIgnoreCase(name)) {
        return entry.getValue();
      }
    }
    return node.path(METADATA).isObject() ? field(node.path(METADATA), name) : exact;
  }

  static JsonNode call(String function, JsonNode arguments) throws TemplateException {
    int least =
        switch (function) {
          case "print", "println" -> 0;
          case "and", "or", "not", "len", "index", "printf" -> 1;
          case "joinAndTruncate" -> 3;
          default -> 2;
        };
    if (arguments.size() < least) {
      throw new TemplateException(
          "go-template: " + function + " takes at least " + least + " values");
    }
    JsonNode first = arguments.path(0);
    JsonNode second = arguments.path(1);
    return switch (function) {
      case "and" -> chosen(arguments, false);
      case "or" -> chosen(arguments, true);
      case "not" -> BooleanNode.valueOf(!isTrue(first));
      case "eq" -> BooleanNode.valueOf(equalsAny(first, arguments));
      case "ne" -> BooleanNode.valueOf(compare(first, second) != 0);
      case "lt" -> BooleanNode.valueOf(compare(first, second) < 0);
      case "le" -> BooleanNode.valueOf(compare(first, second) <= 0);
      case "gt" -> BooleanNode.valueOf(compare(first, second) > 0);
      case "ge" -> BooleanNode.valueOf(compare(first, second) >= 0);
      case "len" ->
          IntNode.valueOf(first.isContainerNode() ? first.size() : first.asText().length());
      case "index" -> index(arguments);
      case "print" -> TextNode.valueOf(joined(arguments, ""));
      case "println" -> TextNode.valueOf(joined(arguments, " ") + "\n");
      case "printf" -> TextNode.valueOf(printf(arguments));
      case "join" -> TextNode.valueOf(join(first, text(second)));
      case "joinAndTruncate" ->
          TextNode.valueOf(truncated(join(first, text(second)), arguments.get(2).asInt()));
      default -> throw new TemplateException("go-template: there is no function " + function);
    };
  }

  /// The first value that is as true as wanted, else the last.
  private static JsonNode chosen(JsonNode values, boolean wanted) {
    for (JsonNode value : values) {
      if (isTrue(value) == wanted) {
        return value;
      }
    }
    return values.get(values.size() - 1);
  }

  private static boolean equalsAny(JsonNode first, JsonNode values) {
    for (int i = 1; i < values.size(); i++) {
      if (compare(first, values.get(i)) == 0) {
        return true;
      }
    }
    return false;
  }

  private static int compare(JsonNode left, JsonNode right) {
    return left.isNumber() && right.isNumber()
        ? Double.compare(left.asDouble(), right.asDouble())
        : Comparator.<String>naturalOrder().compare(text(left), text(right));
  }

  private static JsonNode index(JsonNode arguments) {
    JsonNode value = arguments.get(0);
    for (int i = 1; i < arguments.size(); i++) {
      JsonNode key = arguments.get(i);
      value = key.isNumber() ? value.path(key.asInt()) : value.path(key.asText());
    }
    return value;
  }

  private static String joined(JsonNode values, String separator) {
    List<String> items = new ArrayList<>();
    values.forEach(value -> items.add(text(value)));
    return String.join(separator, items);
  }

  /// Maps join as `key=value`.
  private static String join(JsonNode value, String separator) {
    if (value.isObject()) {
      return sorted(value).stream()
          .map(entry -> entry.getKey() + "=" + text(entry.getValue()))
          .collect(Collectors.joining(separator));
    }
    return value.isArray() ? joined(value, separator) : text(value);
  }

  private static String truncated(String text, int limit) {
    return limit <= 0 || text.length() <= limit
        ? text
        : text.substring(0, Math.max(0, limit - ELLIPSIS.length())) + ELLIPSIS;
  }

  private static String printf(JsonNode arguments) throws TemplateException {
    String format = arguments.get(0).asText();
    StringBuilder text = new StringBuilder();
    int next = 1;
    for (int i = 0; i < format.length(); i++) {
      char c = format.charAt(i);
      if (c != '%') {
        text.append(c);
        continue;
      }
      int start = i++;
      while (i < format.length() && "-+0123456789.".indexOf(format.charAt(i)) >= 0) {
        i++;
      }
      if (i == format.length()) {
        throw new TemplateException("go-template: printf: \"" + format + "\" ends within a %");
      }
      char verb = format.charAt(i);
      if (verb == '%') {
        text.append('%');
      } else {
        JsonNode value = arguments.path(next++);
        text.append(formatted(format.substring(start, i), verb, value));
      }
    }
    return text.toString();
  }

  private static String formatted(String flags, char verb, JsonNode value)
      throws TemplateException {
    return switch (verb) {
      case 's', 'v' -> String.format(flags + "s", text(value));
      case 'd' -> String.format(flags + "d", value.asLong());
      case 'f' -> String.format(Locale.ROOT, flags + "f", value.asDouble());
      case 'q' ->
          String.format(
              flags + "s", value.isTextual() ? value.toString() : "\"" + text(value) + "\"");
      case 't' -> String.valueOf(isTrue(value));
      default -> throw new TemplateException("go-template: printf: %" + verb + " is not known");
    };
  }
}
