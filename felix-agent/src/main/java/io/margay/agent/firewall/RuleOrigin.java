package io.margay.agent.firewall;

import io.margay.policy.EndpointKey;
import io.margay.policy.HostEndpointKey;
import io.margay.policy.PolicyKey;
import io.margay.policy.RuleAction;
import java.util.Locale;

/// What a kernel rule was written for: its id as more than a text. Several kernel rules may have
/// one origin.
public sealed interface RuleOrigin {

  Direction direction();

  /// The id of the kernel rules, as [io.margay.linux.nft.NftRule] carries it.
  String id();

  /// A rule of a policy.
  ///
  /// @param index position in the policy's rules of the direction, 0-based
  record PolicyRule(PolicyKey policy, Direction direction, int index) implements RuleOrigin {
    @Override
    public String id() {
      return Layout.ruleId("policy", policy.toString(), direction.word(), Integer.toString(index));
    }
  }

  /// A rule of a policy on trial.
  ///
  /// @param wouldBe what it would do
  record StagedRule(PolicyKey policy, Direction direction, int index, RuleAction wouldBe)
      implements RuleOrigin {
    @Override
    public String id() {
      return Layout.ruleId(
          "staged",
          policy.toString(),
          direction.word(),
          Integer.toString(index),
          wouldBe.name().toLowerCase(Locale.ROOT));
    }
  }

  /// Rules of several policies that a tier of many has as one. Which of them let a packet through
  /// the kernel does not know.
  ///
  /// @param number in the tier's chain, 0-based; other chains of the tier have the same numbers
  record MergedRules(String tier, Direction direction, int number) implements RuleOrigin {
    @Override
    public String id() {
      return Layout.ruleId("tier", tier, direction.word(), "merged", Integer.toString(number));
    }
  }

  /// A policy that an endpoint needs and nobody has announced: closed.
  record MissingPolicy(PolicyKey policy, Direction direction) implements RuleOrigin {
    @Override
    public String id() {
      return Layout.ruleId("policy", policy.toString(), direction.word(), "missing");
    }
  }

  /// The way into a tier.
  record IntoTier(String tier, Direction direction) implements RuleOrigin {
    @Override
    public String id() {
      return Layout.ruleId("tier", tier, direction.word());
    }
  }

  /// The end of a tier that denies what none of its rules matched.
  record EndOfTier(String tier, Direction direction) implements RuleOrigin {
    @Override
    public String id() {
      return Layout.ruleId("tier", tier, direction.word(), "end");
    }
  }

  /// A rule of a profile.
  ///
  /// @param index position in the profile's rules of the direction, 0-based
  record ProfileRule(String profile, Direction direction, int index) implements RuleOrigin {
    @Override
    public String id() {
      return Layout.ruleId("profile", profile, direction.word(), Integer.toString(index));
    }
  }

  /// A profile that an endpoint names and that does not exist: closed.
  record MissingProfile(String profile, Direction direction) implements RuleOrigin {
    @Override
    public String id() {
      return Layout.ruleId("profile", profile, direction.word(), "missing");
    }
  }

  /// The end of an endpoint's rules: no profile had an answer.
  record EndOfEndpoint(EndpointKey endpoint, Direction direction) implements RuleOrigin {
    @Override
    public String id() {
      return Layout.ruleId("endpoint", endpoint.toString(), direction.word(), "end");
    }
  }

  /// The end of a host endpoint's rules: no profile had an answer.
  ///
  /// @param slot where, as [HostSlot#word] has it
  record EndOfHostEndpoint(HostEndpointKey endpoint, Direction direction, String slot)
      implements RuleOrigin {
    @Override
    public String id() {
      return Layout.ruleId("host", endpoint.name(), slot, "end");
    }
  }
}
