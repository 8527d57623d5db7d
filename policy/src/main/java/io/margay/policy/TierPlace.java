package io.margay.policy;

import io.margay.model.resource.TierAction;
import io.margay.model.resource.TierSpec;
import java.util.Map;

/// A tier's place among the others and its answer at its end.
///
/// @param order low first; [Double#POSITIVE_INFINITY] when not given
/// @param endAction [RuleAction#DENY] or [RuleAction#PASS]
record TierPlace(double order, RuleAction endAction) {

  /// The tiers every cluster has, also where nobody stored them.
  static final Map<String, TierPlace> BUILT_IN =
      Map.of(
          TierSpec.KUBE_ADMIN_TIER, new TierPlace(1_000, RuleAction.PASS),
          TierSpec.DEFAULT_TIER, new TierPlace(1_000_000, RuleAction.DENY),
          TierSpec.KUBE_BASELINE_TIER, new TierPlace(10_000_000, RuleAction.PASS));

  static TierPlace of(TierSpec spec) {
    return new TierPlace(
        spec.effectiveOrder(),
        spec.effectiveDefaultAction() == TierAction.PASS ? RuleAction.PASS : RuleAction.DENY);
  }
}
