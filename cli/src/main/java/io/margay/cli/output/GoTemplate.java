package io.margay.cli.output;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The part of Go's template language that templates for calicoctl and kubectl use: fields,
/// variables, `if`, `range`, `with`, pipelines and the functions of {@link GoFunctions}.
///
/// Fields are found as documents spell them (`.spec.cidr`) and as calicoctl's templates do
/// (`.Spec.CIDR`, `.ObjectMeta.Name`). What is not there is empty.
public final class GoTemplate {

  /// A piece of a template.
  sealed interface Part {
    record Text(String text) implements Part {}

    /// @param variable what to keep the value in, without printing it
    record Action(@Nullable String variable, Expression value) implements Part {}

    record If(Expression condition, List<Part> then, List<Part> otherwise) implements Part {}

    record With(Expression value, List<Part> then, List<Part> otherwise) implements Part {}

    record Range(
        @Nullable String index,
        @Nullable String element,
        Expression over,
        List<Part> body,
        List<Part> otherwise)
        implements Part {}
  }

  /// What has a value.
  sealed interface Expression {
    record Literal(JsonNode value) implements Expression {}

    /// @param start null = the current value, `$` = the outermost
    record Fields(@Nullable String start, List<String> names) implements Expression {}

    record Call(String function, List<Expression> arguments) implements Expression {}

    record Selected(Expression value, List<String> names) implements Expression {}
  }

  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

  private final List<Part> parts;

  private GoTemplate(List<Part> parts) {
    this.parts = parts;
  }

  /// @throws TemplateException saying where it is wrong
  public static GoTemplate parse(String template) throws TemplateException {
    return new GoTemplate(new GoTemplateParser(template).parse());
  }

  /// @param documents what was asked for: single objects or lists with `items`, as calicoctl hands
  ///   them to a template; `.items` of the whole are all of theirs
  public String evaluate(List<? extends JsonNode> documents) throws TemplateException {
    ArrayNode root = NODES.arrayNode();
    documents.forEach(root::add);
    StringBuilder text = new StringBuilder();
    Map<String, JsonNode> variables = new HashMap<>();
    variables.put("$", root);
    new Run(text).parts(parts, root, variables);
    return text.toString();
  }

  /// One evaluation.
  private record Run(StringBuilder text) {

    void parts(List<Part> parts, JsonNode dot, Map<String, JsonNode> variables)
        throws TemplateException {
      for (Part part : parts) {
        switch (part) {
          case Part.Text(String literal) -> text.append(literal);
          case Part.Action(String variable, Expression value) -> {
            JsonNode result = value(value, dot, variables);
            if (variable == null) {
              text.append(GoFunctions.text(result));
            } else {
              variables.put(variable, result);
            }
          }
          case Part.If(Expression condition, List<Part> then, List<Part> otherwise) ->
              parts(
                  GoFunctions.isTrue(value(condition, dot, variables)) ? then : otherwise,
                  dot,
                  variables);
          case Part.With(Expression given, List<Part> then, List<Part> otherwise) -> {
            JsonNode value = value(given, dot, variables);
            boolean there = GoFunctions.isTrue(value);
            parts(there ? then : otherwise, there ? value : dot, variables);
          }
          case Part.Range range -> range(range, dot, variables);
        }
      }
    }

    private void range(Part.Range range, JsonNode dot, Map<String, JsonNode> variables)
        throws TemplateException {
      JsonNode over = value(range.over(), dot, variables);
      if (over.isEmpty()) {
        parts(range.otherwise(), dot, variables);
      } else if (over.isObject()) {
        for (Map.Entry<String, JsonNode> entry : GoFunctions.sorted(over)) {
          item(range, NODES.textNode(entry.getKey()), entry.getValue(), variables);
        }
      } else {
        for (int i = 0; i < over.size(); i++) {
          item(range, NODES.numberNode(i), over.get(i), variables);
        }
      }
    }

    private void item(
        Part.Range range, JsonNode index, JsonNode element, Map<String, JsonNode> outer)
        throws TemplateException {
      Map<String, JsonNode> variables = new HashMap<>(outer);
      if (range.index() != null) {
        variables.put(range.index(), index);
      }
      if (range.element() != null) {
        variables.put(range.element(), element);
      }
      parts(range.body(), element, variables);
    }

    private JsonNode value(Expression expression, JsonNode dot, Map<String, JsonNode> variables)
        throws TemplateException {
      return switch (expression) {
        case Expression.Literal(JsonNode value) -> value;
        case Expression.Fields(String start, List<String> names) -> {
          JsonNode from = start == null ? dot : variables.get(start);
          if (from == null) {
            throw new TemplateException("go-template: there is no variable " + start);
          }
          yield fields(from, names);
        }
        case Expression.Selected(Expression of, List<String> names) ->
            fields(value(of, dot, variables), names);
        case Expression.Call(String function, List<Expression> arguments) -> {
          ArrayNode values = NODES.arrayNode();
          for (Expression argument : arguments) {
            values.add(value(argument, dot, variables));
          }
          yield GoFunctions.call(function, values);
        }
      };
    }

    private static JsonNode fields(JsonNode from, List<String> names) {
      JsonNode node = from;
      for (String name : names) {
        node = node.isArray() ? ofEach(node, name) : GoFunctions.field(node, name);
      }
      return node;
    }

    /// A field of a list is that of its items, one after the other.
    private static JsonNode ofEach(JsonNode list, String name) {
      if (list.size() == 1) {
        return GoFunctions.field(list.get(0), name);
      }
      ArrayNode all = NODES.arrayNode();
      for (JsonNode item : list) {
        JsonNode value = GoFunctions.field(item, name);
        if (value.isArray()) {
          value.forEach(all::add);
        } else if (!value.isMissingNode()) {
          all.add(value);
        }
      }
      return all;
    }
  }
}
