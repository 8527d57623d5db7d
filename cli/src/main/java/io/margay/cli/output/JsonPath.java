package io.margay.cli.output;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.stream.Collectors;

/// kubectl's JSON path templates: text with paths in braces, `{range …}…{end}`, filters, slices and
/// quoted text. What is not there prints nothing.
public final class JsonPath {

  /// A piece of a template.
  sealed interface Part {
    record Text(String text) implements Part {}

    /// @param fromRoot whether it starts at `$`, not at the current node
    record Print(boolean fromRoot, List<PathStep> steps) implements Part {}

    record Range(boolean fromRoot, List<PathStep> steps, List<Part> body) implements Part {}
  }

  private final List<Part> parts;

  private JsonPath(List<Part> parts) {
    this.parts = parts;
  }

  /// @throws TemplateException saying where it is wrong
  public static JsonPath parse(String template) throws TemplateException {
    return new JsonPath(new JsonPathParser(template).parse());
  }

  /// A path without a template around it: `.metadata.name`, with or without the dot or the braces.
  public static JsonPath expression(String path) throws TemplateException {
    if (path.startsWith("{")) {
      return parse(path);
    }
    boolean rooted = path.startsWith(".") || path.startsWith("$") || path.startsWith("[");
    return parse("{" + (rooted ? "" : ".") + path + "}");
  }

  public String evaluate(JsonNode root) {
    StringBuilder text = new StringBuilder();
    print(parts, root, root, text);
    return text.toString();
  }

  private static void print(List<Part> parts, JsonNode root, JsonNode current, StringBuilder text) {
    for (Part part : parts) {
      switch (part) {
        case Part.Text(String literal) -> text.append(literal);
        case Part.Print(boolean fromRoot, List<PathStep> steps) ->
            text.append(
                PathStep.all(steps, fromRoot ? root : current).stream()
                    .map(JsonPath::text)
                    .collect(Collectors.joining(" ")));
        case Part.Range(boolean fromRoot, List<PathStep> steps, List<Part> body) ->
            PathStep.all(steps, fromRoot ? root : current)
                .forEach(node -> print(body, root, node, text));
      }
    }
  }

  private static String text(JsonNode node) {
    return node.isTextual() ? node.asText() : node.toString();
  }
}
