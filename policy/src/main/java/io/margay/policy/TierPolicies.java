package io.margay.policy;

import java.util.List;

/// The policies of one tier that apply to one endpoint in one direction, in order.
///
/// Staged ones stand where they would apply and decide nothing; a tier that has no others passes at
/// its end, as if it were not there.
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

  /// Whether a packet can be decided here: some policy is more than staged.
  public boolean isEnforced() {
    return policies.stream().anyMatch(policy -> !policy.isStaged());
  }
}
