package io.margay.policy.oracle;

import io.margay.policy.PolicyKey;
import io.margay.policy.RuleAction;

/// Something that had a say about a packet, on its way through the policies of one endpoint.
public sealed interface Step {

  /// A rule of a policy matched.
  ///
  /// @param rule index in the policy's rules of the direction
  record PolicyRule(String tier, PolicyKey policy, int rule, RuleAction action) implements Step {
    @Override
    public String toString() {
      return "tier " + tier + ", policy " + policy + ", rule " + rule + ": " + action;
    }
  }

  /// No rule of the tier matched.
  record EndOfTier(String tier, RuleAction action) implements Step {
    @Override
    public String toString() {
      return "tier " + tier + ", no rule matched: " + action;
    }
  }

  /// A rule of a profile matched.
  record ProfileRule(String profile, int rule, RuleAction action) implements Step {
    @Override
    public String toString() {
      return "profile " + profile + ", rule " + rule + ": " + action;
    }
  }

  /// The endpoint names a profile that does not exist: closed.
  record MissingProfile(String profile) implements Step {
    @Override
    public String toString() {
      return "profile " + profile + " does not exist: DENY";
    }
  }

  /// No profile's rule matched, or there is no profile.
  record NoProfileMatched() implements Step {
    @Override
    public String toString() {
      return "no profile matched: DENY";
    }
  }
}
