package io.margay.policy;

import java.util.List;

/// The policies of one tier that apply to one endpoint in one direction, in order. Present only if
/// at least one non-staged policy of the direction selects the endpoint.
///
/// @param tier the tier's name
/// @param endAction what happens when no rule matched: [RuleAction#DENY] or [RuleAction#PASS]
/// @param policies first match wins
public record TierPolicies(String tier, RuleAction endAction, List<PolicyKey> policies) {

  public TierPolicies {
    if (endAction != RuleAction.DENY && endAction != RuleAction.PASS) {
      throw new IllegalArgumentException(
          "tier " + tier + " ends in " + endAction + "; DENY or PASS");
    }
    policies = List.copyOf(policies);
  }
}
