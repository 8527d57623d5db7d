package io.margay.cli.output;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// One step of a JSON path: from a node to those it leads to.
sealed interface PathStep {

  void follow(JsonNode node, Consumer<JsonNode> found);

  /// `.name` or `['name']`; of a list nothing.
  record Field(String name) implements PathStep {
    @Override
    public void follow(JsonNode node, Consumer<JsonNode> found) {
      JsonNode value = node.get(name);
      if (value != null) {
        found.accept(value);
      }
    }
  }

  /// `.*` or `[*]`: every value.
  record Every() implements PathStep {
    @Override
    public void follow(JsonNode node, Consumer<JsonNode> found) {
      node.forEach(found);
    }
  }

  /// `..`: the node and everything below it.
  record Below() implements PathStep {
    @Override
    public void follow(JsonNode node, Consumer<JsonNode> found) {
      found.accept(node);
      node.forEach(child -> follow(child, found));
    }
  }

  /// `[from:to:step]`; a single index is a slice of one. Negative positions count from the end.
  record Slice(@Nullable Integer from, @Nullable Integer to, int step) implements PathStep {

    static Slice index(int index) {
      return new Slice(index, index == -1 ? null : index + 1, 1);
    }

    @Override
    public void follow(JsonNode node, Consumer<JsonNode> found) {
      if (node.isArray()) {
        int end = to == null ? node.size() : Math.min(position(to, node), node.size());
        for (int i = Math.max(0, from == null ? 0 : position(from, node)); i < end; i += step) {
          found.accept(node.get(i));
        }
      }
    }

    private static int position(int index, JsonNode list) {
      return index < 0 ? list.size() + index : index;
    }
  }

  /// `[0,2]` or `['a','b']`: what each leads to, in that order.
  record Union(List<PathStep> steps) implements PathStep {
    @Override
    public void follow(JsonNode node, Consumer<JsonNode> found) {
      steps.forEach(step -> step.follow(node, found));
    }
  }

  /// `[?(@.a == "b")]`: the values for which it holds.
  ///
  /// @param operator empty = the left side exists
  record Filter(Operand left, String operator, Operand right) implements PathStep {
    @Override
    public void follow(JsonNode node, Consumer<JsonNode> found) {
      node.forEach(
          value -> {
            if (holds(left.of(value), right.of(value))) {
              found.accept(value);
            }
          });
    }

    private boolean holds(List<JsonNode> lefts, List<JsonNode> rights) {
      if (operator.isEmpty() || lefts.isEmpty() || rights.isEmpty()) {
        return operator.isEmpty() && !lefts.isEmpty();
      }
      int compared = compare(lefts.getFirst(), rights.getFirst());
      return switch (operator) {
        case "==" -> compared == 0;
        case "!=" -> compared != 0;
        case "<" -> compared < 0;
        case "<=" -> compared <= 0;
        case ">" -> compared > 0;
        default -> compared >= 0;
      };
    }

    private static int compare(JsonNode left, JsonNode right) {
      return left.isNumber() && right.isNumber()
          ? Double.compare(left.asDouble(), right.asDouble())
          : text(left).compareTo(text(right));
    }

    private static String text(JsonNode node) {
      return node.isValueNode() ? node.asText() : node.toString();
    }
  }

  /// One side of a filter.
  sealed interface Operand {

    List<JsonNode> of(JsonNode node);

    record Literal(JsonNode value) implements Operand {
      @Override
      public List<JsonNode> of(JsonNode node) {
        return List.of(value);
      }
    }

    record Path(List<PathStep> steps) implements Operand {
      @Override
      public List<JsonNode> of(JsonNode node) {
        return all(steps, node);
      }
    }
  }

  /// Where the steps lead, one after the other.
  static List<JsonNode> all(List<PathStep> steps, JsonNode start) {
    List<JsonNode> nodes = List.of(start);
    for (PathStep step : steps) {
      List<JsonNode> next = new ArrayList<>();
      nodes.forEach(node -> step.follow(node, next::add));
      nodes = next;
    }
    return nodes;
  }
}
