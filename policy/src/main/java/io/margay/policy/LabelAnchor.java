package io.margay.policy;

import io.margay.model.selector.Selector;
import io.margay.model.selector.SelectorNode;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A label that an object must carry for a selector to match it: a necessary condition, cheap to
/// look up.
///
/// @param key the label's key
/// @param values the label has one of these values; null = any value
record LabelAnchor(String key, @Nullable List<String> values) {

  /// All conditions a selector demands; none for selectors that may match an object without labels.
  static List<LabelAnchor> of(SelectorNode node) {
    List<LabelAnchor> anchors = new ArrayList<>();
    collect(node, anchors);
    return anchors;
  }

  /// The condition to file a selector under, or null without any.
  ///
  /// Namespaces divide the objects of a cluster best, the orchestrator not at all; which of the
  /// others does better isn't known before the objects are.
  static @Nullable LabelAnchor best(List<LabelAnchor> anchors) {
    LabelAnchor best = null;
    for (LabelAnchor anchor : anchors) {
      if (best == null || anchor.rank() < best.rank()) {
        best = anchor;
      }
    }
    return best;
  }

  private int rank() {
    if (key.equals(ImpliedLabels.ORCHESTRATOR)) {
      return 3;
    }
    if (values == null) {
      return 2;
    }
    return key.equals(Selector.NAMESPACE_LABEL) ? 0 : 1;
  }

  private static void collect(SelectorNode node, List<LabelAnchor> anchors) {
    switch (node) {
      case SelectorNode.Equal(String key, String value) ->
          anchors.add(new LabelAnchor(key, List.of(value)));
      case SelectorNode.In(String key, List<String> values) ->
          anchors.add(new LabelAnchor(key, values));
      case SelectorNode.Has(String key) -> anchors.add(new LabelAnchor(key, null));
      case SelectorNode.Contains(String key, String _) -> anchors.add(new LabelAnchor(key, null));
      case SelectorNode.StartsWith(String key, String _) -> anchors.add(new LabelAnchor(key, null));
      case SelectorNode.EndsWith(String key, String _) -> anchors.add(new LabelAnchor(key, null));
      case SelectorNode.And(List<SelectorNode> operands) ->
          operands.forEach(operand -> collect(operand, anchors));
      case SelectorNode.All _,
          SelectorNode.Global _,
          SelectorNode.NotEqual _,
          SelectorNode.NotIn _,
          SelectorNode.Not _,
          SelectorNode.Or _ -> {}
    }
  }
}
