package io.margay.cli.output;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// What `-o` says.
public sealed interface OutputFormat {

  record Table(boolean wide) implements OutputFormat {}

  /// calicoctl's columns by heading.
  record Headings(List<String> headings) implements OutputFormat {
    public Headings {
      headings = List.copyOf(headings);
    }
  }

  /// kubectl's columns: headings with a path each.
  record PathColumns(List<String> headings, List<JsonPath> paths) implements OutputFormat {
    public PathColumns {
      headings = List.copyOf(headings);
      paths = List.copyOf(paths);
    }
  }

  record Yaml() implements OutputFormat {}

  record Json() implements OutputFormat {}

  record Name() implements OutputFormat {}

  record Template(GoTemplate template) implements OutputFormat {}

  record Path(JsonPath path) implements OutputFormat {}

  /// What the words `-o` takes are, for help and completion.
  String WORDS = "ps|wide|yaml|json|name|custom-columns=A,B|go-template=T|jsonpath=P";

  /// Reads a file that `-o` names.
  @FunctionalInterface
  interface Files {
    String read(String file) throws TemplateException;
  }

  /// @throws TemplateException if it is no format or its template can't be read
  static OutputFormat parse(String text, Files files) throws TemplateException {
    int equals = text.indexOf('=');
    String word = (equals < 0 ? text : text.substring(0, equals)).toLowerCase(Locale.ROOT);
    String value = equals < 0 ? "" : text.substring(equals + 1);
    return switch (word) {
      case "ps" -> new Table(false);
      case "wide" -> new Table(true);
      case "yaml", "yml" -> new Yaml();
      case "json" -> new Json();
      case "name" -> new Name();
      case "custom-columns" -> columns(required(word, value));
      case "go-template" -> new Template(GoTemplate.parse(required(word, value)));
      case "go-template-file" -> new Template(GoTemplate.parse(files.read(required(word, value))));
      case "jsonpath" -> new Path(path(required(word, value)));
      case "jsonpath-file" -> new Path(JsonPath.parse(files.read(required(word, value))));
      default -> throw new TemplateException("\"" + text + "\" is not an output format: " + WORDS);
    };
  }

  private static String required(String word, String value) throws TemplateException {
    if (value.isEmpty()) {
      throw new TemplateException("-o " + word + "= needs a value after the =");
    }
    return value;
  }

  private static JsonPath path(String text) throws TemplateException {
    return text.contains("{") ? JsonPath.parse(text) : JsonPath.expression(text);
  }

  private static OutputFormat columns(String text) throws TemplateException {
    List<String> columns = List.of(text.split(",", -1));
    if (columns.stream().noneMatch(column -> column.contains(":"))) {
      return new Headings(
          columns.stream().map(heading -> heading.strip().toUpperCase(Locale.ROOT)).toList());
    }
    List<String> headings = new ArrayList<>();
    List<JsonPath> paths = new ArrayList<>();
    for (String column : columns) {
      int colon = column.indexOf(':');
      if (colon < 1 || colon == column.length() - 1) {
        throw new TemplateException(
            "-o custom-columns: \"" + column + "\" is not HEADING:PATH, as the other columns are");
      }
      headings.add(column.substring(0, colon));
      paths.add(JsonPath.expression(column.substring(colon + 1)));
    }
    return new PathColumns(headings, paths);
  }
}
