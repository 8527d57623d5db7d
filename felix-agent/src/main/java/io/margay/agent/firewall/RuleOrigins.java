package io.margay.agent.firewall;

import io.margay.policy.ComputedRule;
import io.margay.policy.EndpointKey;
import io.margay.policy.EndpointPolicy;
import io.margay.policy.HostEndpointKey;
import io.margay.policy.HostEndpointPolicy;
import io.margay.policy.PolicyKey;
import io.margay.policy.RuleAction;
import io.margay.policy.RuleSet;
import io.margay.policy.TierPolicies;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Says of a kernel rule, or of what it logged, what it was written for; as things were when this
/// was made. Making one is cheap, the first question is not: ask on another thread than the one
/// that makes it, but always on the same.
public final class RuleOrigins {

  private final Map<PolicyKey, RuleSet> policies;
  private final Map<String, RuleSet> profiles;
  private final Map<EndpointKey, EndpointPolicy> endpoints;
  private final Map<HostEndpointKey, HostEndpointPolicy> hosts;
  private final Map<PolicyKey, String> tiers = new HashMap<>();
  private final Set<String> merged;
  private final Map<String, Written> byId = new HashMap<>();
  private @Nullable Map<String, RuleOrigin> byLogPrefix;

  private record Written(RuleOrigin origin, RuleAction action) {}

  /// @param merged ids of rules that stand for several
  RuleOrigins(
      Map<PolicyKey, RuleSet> policies,
      Map<String, RuleSet> profiles,
      Map<EndpointKey, EndpointPolicy> endpoints,
      Map<HostEndpointKey, HostEndpointPolicy> hosts,
      Function<PolicyKey, @Nullable String> tierOf,
      Set<String> merged) {
    this.policies = Map.copyOf(policies);
    this.profiles = Map.copyOf(profiles);
    this.endpoints = Map.copyOf(endpoints);
    this.hosts = Map.copyOf(hosts);
    this.merged = Set.copyOf(merged);
    policies.keySet().forEach(key -> addTier(key, tierOf));
    endpoints
        .values()
        .forEach(
            endpoint -> {
              for (Direction direction : Direction.values()) {
                addMissingTiers(direction.tiers(endpoint));
              }
            });
    hosts
        .values()
        .forEach(
            host -> {
              for (HostSlot slot : HostSlot.values()) {
                addMissingTiers(slot.tiers(host));
              }
            });
  }

  private Map<String, Written> byId() {
    if (!byId.isEmpty()) {
      return byId;
    }
    for (Direction direction : Direction.values()) {
      policies.forEach((key, rules) -> addPolicy(key, direction, rules));
      profiles.forEach(
          (name, rules) -> {
            for (ComputedRule rule : direction.rules(rules)) {
              add(new RuleOrigin.ProfileRule(name, direction, rule.index()), rule.action());
            }
          });
      endpoints.forEach(
          (key, endpoint) -> {
            addTiers(direction.tiers(endpoint), direction);
            addMissing(endpoint.profiles(), direction);
            add(new RuleOrigin.EndOfEndpoint(key, direction), RuleAction.DENY);
          });
    }
    for (HostSlot slot : HostSlot.values()) {
      hosts.forEach(
          (key, host) -> {
            addTiers(slot.tiers(host), slot.direction());
            addMissing(host.profiles(), slot.direction());
            add(
                new RuleOrigin.EndOfHostEndpoint(key, slot.direction(), slot.word()),
                RuleAction.DENY);
          });
    }
    return byId;
  }

  private Map<String, RuleOrigin> byLogPrefix() {
    Map<String, RuleOrigin> known = byLogPrefix;
    if (known == null) {
      Map<String, RuleOrigin> made = new HashMap<>();
      byId()
          .values()
          .forEach(
              written ->
                  made.put(
                      LogPrefix.ofGroup(written.action(), written.origin(), this::tierOf),
                      written.origin()));
      byLogPrefix = made;
      known = made;
    }
    return known;
  }

  private void addTier(PolicyKey policy, Function<PolicyKey, @Nullable String> tierOf) {
    String tier = tierOf.apply(policy);
    if (tier != null) {
      tiers.put(policy, tier);
    }
  }

  private void addPolicy(PolicyKey key, Direction direction, RuleSet rules) {
    for (ComputedRule rule : direction.rules(rules)) {
      add(
          key.isStaged()
              ? new RuleOrigin.StagedRule(key, direction, rule.index(), rule.action())
              : new RuleOrigin.PolicyRule(key, direction, rule.index()),
          rule.action());
    }
  }

  /// A policy that nobody has announced stands in the tier that an endpoint has it in.
  private void addMissingTiers(Collection<TierPolicies> used) {
    for (TierPolicies tier : used) {
      for (PolicyKey policy : tier.policies()) {
        if (!policies.containsKey(policy)) {
          tiers.put(policy, tier.tier());
        }
      }
    }
  }

  private void addTiers(Collection<TierPolicies> used, Direction direction) {
    for (TierPolicies tier : used) {
      if (byId.containsKey(new RuleOrigin.IntoTier(tier.tier(), direction).id())) {
        continue;
      }
      add(new RuleOrigin.IntoTier(tier.tier(), direction), RuleAction.PASS);
      add(new RuleOrigin.EndOfTier(tier.tier(), direction), RuleAction.DENY);
      addMerged(tier.tier(), direction);
    }
    for (TierPolicies tier : used) {
      for (PolicyKey policy : tier.policies()) {
        if (!policy.isStaged() && !policies.containsKey(policy)) {
          add(new RuleOrigin.MissingPolicy(policy, direction), RuleAction.DENY);
        }
      }
    }
  }

  private void addMerged(String tier, Direction direction) {
    for (int number = 0; ; number++) {
      RuleOrigin origin = new RuleOrigin.MergedRules(tier, direction, number);
      if (!merged.contains(origin.id())) {
        return;
      }
      add(origin, RuleAction.ALLOW);
    }
  }

  private void addMissing(Collection<String> used, Direction direction) {
    for (String profile : used) {
      if (!profiles.containsKey(profile)) {
        add(new RuleOrigin.MissingProfile(profile, direction), RuleAction.DENY);
      }
    }
  }

  private void add(RuleOrigin origin, RuleAction action) {
    byId.put(origin.id(), new Written(origin, action));
  }

  /// What the rules of that id were written for; null for those that are nobody's policy: dispatch,
  /// anti-spoofing, connection states.
  public @Nullable RuleOrigin of(String ruleId) {
    Written written = byId().get(ruleId);
    return written == null ? null : written.origin();
  }

  /// What the rules of that id do; null as in [#of].
  public @Nullable RuleAction actionOf(String ruleId) {
    Written written = byId().get(ruleId);
    return written == null ? null : written.action();
  }

  /// Which rule an entry of an NFLOG group names ([io.margay.linux.nft.NftLogEntry#prefix]); null
  /// if none of ours.
  public @Nullable RuleOrigin ofLogPrefix(String prefix) {
    return byLogPrefix().get(prefix);
  }

  /// The tier a policy stands in; null if no endpoint here has it.
  public @Nullable String tierOf(PolicyKey policy) {
    return tiers.get(policy);
  }
}
