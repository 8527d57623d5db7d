package io.margay.model.selector;

import java.util.List;

/// One node of a selector's syntax tree. `==`, `in`, `contains`, `starts with` and `ends with` are
/// false for an object without the label; `!=` and `not in` are true for it.
public sealed interface SelectorNode {

  /// `all()`, also the empty selector: every object.
  record All() implements SelectorNode {}

  /// `global()`: objects without a namespace. Alone it matches like `all()`;
  /// [Selector#forNamespaces] gives it its meaning.
  record Global() implements SelectorNode {}

  /// `has(key)`.
  record Has(String key) implements SelectorNode {}

  /// `key == 'value'`.
  record Equal(String key, String value) implements SelectorNode {}

  /// `key != 'value'`.
  record NotEqual(String key, String value) implements SelectorNode {}

  /// `key in {…}`.
  ///
  /// @param values sorted, without repeats; may be empty, which matches nothing
  record In(String key, List<String> values) implements SelectorNode {
    public In {
      values = values.stream().sorted().distinct().toList();
    }
  }

  /// `key not in {…}`.
  ///
  /// @param values sorted, without repeats; may be empty, which matches everything
  record NotIn(String key, List<String> values) implements SelectorNode {
    public NotIn {
      values = values.stream().sorted().distinct().toList();
    }
  }

  /// `key contains 'value'`.
  record Contains(String key, String value) implements SelectorNode {}

  /// `key starts with 'value'`.
  record StartsWith(String key, String value) implements SelectorNode {}

  /// `key ends with 'value'`.
  record EndsWith(String key, String value) implements SelectorNode {}

  /// `!operand`.
  record Not(SelectorNode operand) implements SelectorNode {}

  /// `a && b && …`.
  ///
  /// @param operands two or more, in written order
  record And(List<SelectorNode> operands) implements SelectorNode {
    public And {
      operands = List.copyOf(operands);
    }
  }

  /// `a || b || …`.
  ///
  /// @param operands two or more, in written order
  record Or(List<SelectorNode> operands) implements SelectorNode {
    public Or {
      operands = List.copyOf(operands);
    }
  }
}
