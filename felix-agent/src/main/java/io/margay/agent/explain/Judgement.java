package io.margay.agent.explain;

import io.margay.policy.RuleAction;
import io.margay.policy.oracle.Decision;
import io.margay.policy.oracle.HostDecision;
import io.margay.policy.oracle.HostDecision.Outcome;
import io.margay.policy.oracle.Step;

/// What one end of a packet's way says to it.
///
/// @param reason what decided
public record Judgement(boolean isAllowed, Reason reason) {

  /// The oracle's decision in the same words.
  public static Judgement of(Decision decision) {
    return new Judgement(decision.allowed(), reason(decision.path().getLast()));
  }

  /// The oracle's decision about a host endpoint in the same words.
  ///
  /// @param decision not [Outcome#OPEN], which decides nothing
  public static Judgement of(HostDecision decision) {
    if (decision.outcome() == Outcome.OPEN) {
      throw new IllegalArgumentException("nothing is decided: " + decision);
    }
    return new Judgement(decision.outcome() == Outcome.ALLOW, reason(decision.path().getLast()));
  }

  private static Reason reason(Step last) {
    return switch (last) {
      case Step.PolicyRule(var tier, var policy, int rule, RuleAction _) ->
          new Reason.PolicyRule(tier, policy, rule);
      case Step.EndOfTier(String tier, RuleAction _) -> new Reason.EndOfTier(tier);
      case Step.ProfileRule(String profile, int _, RuleAction _) -> new Reason.Profile(profile);
      case Step.MissingProfile(String profile) -> new Reason.Profile(profile);
      case Step.NoProfileMatched() -> new Reason.Profile(null);
    };
  }
}
