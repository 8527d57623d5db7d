package io.margay.policy.oracle;

import io.margay.model.net.IpAddress;
import io.margay.model.resource.PolicyType;
import io.margay.policy.ComputedRule;
import io.margay.policy.EndpointKey;
import io.margay.policy.EndpointPolicy;
import io.margay.policy.HostEndpointKey;
import io.margay.policy.HostEndpointPolicy;
import io.margay.policy.HostStage;
import io.margay.policy.PolicyKey;
import io.margay.policy.RuleAction;
import io.margay.policy.RuleSet;
import io.margay.policy.TierPolicies;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Evaluates the rules and sets that the dataplane was given, as the kernel is to evaluate them.
public final class RuleInterpreter {

  private final PolicyState state;
  private final RuleMatcher matcher;

  public RuleInterpreter(PolicyState state) {
    this.state = state;
    this.matcher = new RuleMatcher(state);
  }

  /// What happens to a packet. Only local endpoints have a say; traffic of an endpoint to itself
  /// never leaves it.
  public Verdict decide(Flow flow) {
    if (flow.source().equals(flow.destination())) {
      return new Verdict(null, null);
    }
    EndpointKey from = endpointAt(flow.source());
    EndpointKey to = endpointAt(flow.destination());
    return new Verdict(
        from == null ? null : decide(from, PolicyType.EGRESS, flow),
        to == null ? null : decide(to, PolicyType.INGRESS, flow));
  }

  private @Nullable EndpointKey endpointAt(IpAddress address) {
    for (var endpoint : state.endpoints().entrySet()) {
      if (endpoint.getValue().addresses().contains(address)) {
        return endpoint.getKey();
      }
    }
    return null;
  }

  /// What one local endpoint's policies say.
  ///
  /// @throws IllegalArgumentException if the endpoint isn't local
  public Decision decide(EndpointKey key, PolicyType direction, Flow flow) {
    EndpointPolicy endpoint = state.endpoints().get(key);
    if (endpoint == null) {
      throw new IllegalArgumentException("endpoint " + key + " is not on this node");
    }
    List<Step> path = new ArrayList<>();
    List<TierPolicies> tiers =
        direction == PolicyType.INGRESS ? endpoint.ingress() : endpoint.egress();
    return new Decision(
        switch (inTiers(tiers, direction, flow, path)) {
          case ALLOW -> true;
          case DENY -> false;
          case PASS, LOG -> inProfiles(endpoint.profiles(), direction, flow, path);
        },
        path);
  }

  /// What one host endpoint's policies say at a stage.
  ///
  /// @throws IllegalArgumentException if the endpoint isn't this node's
  public HostDecision decide(
      HostEndpointKey key, HostStage stage, PolicyType direction, Flow flow) {
    HostEndpointPolicy host = state.hosts().get(key);
    if (host == null) {
      throw new IllegalArgumentException("host endpoint " + key + " is not on this node");
    }
    List<Step> path = new ArrayList<>();
    RuleAction action = inTiers(host.tiers(stage, direction), direction, flow, path);
    HostDecision.Outcome outcome =
        switch (action) {
          case ALLOW -> HostDecision.Outcome.ALLOW;
          case DENY -> HostDecision.Outcome.DENY;
          case PASS, LOG -> HostDecision.Outcome.OPEN;
        };
    if (stage == HostStage.NORMAL && outcome == HostDecision.Outcome.OPEN) {
      outcome =
          inProfiles(host.profiles(), direction, flow, path)
              ? HostDecision.Outcome.ALLOW
              : HostDecision.Outcome.DENY;
    }
    return new HostDecision(outcome, path);
  }

  private RuleAction inTiers(
      List<TierPolicies> tiers, PolicyType direction, Flow flow, List<Step> path) {
    for (TierPolicies tier : tiers) {
      RuleAction action = tier.isEnforced() ? inTier(tier, direction, flow, path) : RuleAction.PASS;
      if (action == RuleAction.ALLOW || action == RuleAction.DENY) {
        return action;
      }
    }
    return RuleAction.PASS;
  }

  private RuleAction inTier(TierPolicies tier, PolicyType direction, Flow flow, List<Step> path) {
    for (PolicyKey key : tier.policies()) {
      if (key.isStaged()) {
        continue;
      }
      RuleSet rules = state.policies().get(key);
      if (rules == null) {
        throw new IllegalStateException("an endpoint needs policy " + key);
      }
      for (ComputedRule rule : of(rules, direction)) {
        if (matcher.matches(rule, flow)) {
          path.add(new Step.PolicyRule(tier.tier(), key, rule.index(), rule.action()));
          if (rule.action() != RuleAction.LOG) {
            return rule.action();
          }
        }
      }
    }
    path.add(new Step.EndOfTier(tier.tier(), tier.endAction()));
    return tier.endAction();
  }

  private boolean inProfiles(
      List<String> profiles, PolicyType direction, Flow flow, List<Step> path) {
    for (String name : profiles) {
      RuleSet rules = state.profiles().get(name);
      if (rules == null) {
        path.add(new Step.MissingProfile(name));
        return false;
      }
      for (ComputedRule rule : of(rules, direction)) {
        if (matcher.matches(rule, flow)) {
          path.add(new Step.ProfileRule(name, rule.index(), rule.action()));
          if (rule.action() != RuleAction.LOG) {
            return rule.action() == RuleAction.ALLOW;
          }
        }
      }
    }
    path.add(new Step.NoProfileMatched());
    return false;
  }

  private static List<ComputedRule> of(RuleSet rules, PolicyType direction) {
    return direction == PolicyType.INGRESS ? rules.ingress() : rules.egress();
  }
}
