package io.margay.policy;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Finds the policies and profiles that apply to an endpoint of this node; only their rules are of
/// interest downstream. Their order is left to the [PolicyResolver].
final class ActiveRulesCalculator {

  /// Hears of rules that some local endpoint uses.
  interface RulesListener {

    /// The rules became active, or changed while active.
    void onRulesActive(RulesKey key, List<SelectorRule> ingress, List<SelectorRule> egress);

    void onRulesInactive(RulesKey key);
  }

  /// Hears which policy selects which local endpoint.
  interface MatchListener {
    void onPolicyMatch(PolicyKey policy, PolicedKey endpoint);

    void onPolicyMatchStopped(PolicyKey policy, PolicedKey endpoint);
  }

  private final RulesListener rulesListener;
  private final MatchListener matchListener;
  private final Map<PolicyKey, CompiledPolicy> policies = new HashMap<>();
  private final Map<PolicyKey, Integer> matchCounts = new HashMap<>();
  private final Map<String, CompiledProfile> profiles = new HashMap<>();
  private final Map<String, Set<PolicedKey>> profileUsers = new HashMap<>();
  private final Map<PolicedKey, Set<String>> profilesOf = new HashMap<>();
  private final LabelIndex<PolicyKey, PolicedKey> index =
      new LabelIndex<>(
          new LabelIndex.Listener<PolicyKey, PolicedKey>() {
            @Override
            public void onMatchStarted(PolicyKey policy, PolicedKey endpoint) {
              matchStarted(policy, endpoint);
            }

            @Override
            public void onMatchStopped(PolicyKey policy, PolicedKey endpoint) {
              matchStopped(policy, endpoint);
            }
          });

  ActiveRulesCalculator(RulesListener rulesListener, MatchListener matchListener) {
    this.rulesListener = rulesListener;
    this.matchListener = matchListener;
  }

  void onPolicy(PolicyKey key, @Nullable CompiledPolicy policy) {
    if (policy == null) {
      index.removeSelector(key);
      policies.remove(key);
      return;
    }
    CompiledPolicy former = policies.get(key);
    if (former != null && former.isForWorkloads() != policy.isForWorkloads()) {
      // What ends must be judged by what it was when it began.
      index.removeSelector(key);
    }
    CompiledPolicy old = policies.put(key, policy);
    if (old != null && matchCounts.containsKey(key) && !sameRules(old, policy)) {
      rulesListener.onRulesActive(
          new RulesKey.OfPolicy(key), policy.ingressRules(), policy.egressRules());
    }
    index.putSelector(key, policy.selector());
  }

  private static boolean sameRules(CompiledPolicy one, CompiledPolicy other) {
    return one.ingressRules().equals(other.ingressRules())
        && one.egressRules().equals(other.egressRules());
  }

  void onProfile(String name, @Nullable CompiledProfile profile) {
    CompiledProfile old = profile == null ? profiles.remove(name) : profiles.put(name, profile);
    index.putParent(name, profile == null ? Map.of() : profile.labels());
    if (!profileUsers.containsKey(name)) {
      return;
    }
    if (profile != null) {
      activate(name, profile);
    } else if (old != null) {
      rulesListener.onRulesInactive(new RulesKey.OfProfile(name));
    }
  }

  void onPoliced(PolicedKey key, @Nullable Policed endpoint) {
    useProfiles(key, endpoint == null ? Set.of() : Set.copyOf(endpoint.profiles()));
    if (endpoint == null) {
      index.removeItem(key);
    } else {
      index.putItem(key, endpoint.labels(), endpoint.profiles());
    }
  }

  private void useProfiles(PolicedKey key, Set<String> now) {
    Set<String> before = now.isEmpty() ? profilesOf.remove(key) : profilesOf.put(key, now);
    for (String name : now) {
      Set<PolicedKey> users = profileUsers.computeIfAbsent(name, n -> new HashSet<>());
      CompiledProfile profile = profiles.get(name);
      if (users.isEmpty() && profile != null) {
        activate(name, profile);
      }
      users.add(key);
    }
    if (before == null) {
      return;
    }
    for (String name : before) {
      Set<PolicedKey> users = profileUsers.get(name);
      if (users != null && !now.contains(name) && users.remove(key) && users.isEmpty()) {
        profileUsers.remove(name);
        if (profiles.containsKey(name)) {
          rulesListener.onRulesInactive(new RulesKey.OfProfile(name));
        }
      }
    }
  }

  private void activate(String name, CompiledProfile profile) {
    rulesListener.onRulesActive(
        new RulesKey.OfProfile(name), profile.ingressRules(), profile.egressRules());
  }

  private void matchStarted(PolicyKey key, PolicedKey endpoint) {
    if (!concerns(key, endpoint)) {
      return;
    }
    if (matchCounts.merge(key, 1, Integer::sum) == 1) {
      CompiledPolicy policy = policyOf(key);
      rulesListener.onRulesActive(
          new RulesKey.OfPolicy(key), policy.ingressRules(), policy.egressRules());
    }
    matchListener.onPolicyMatch(key, endpoint);
  }

  /// Untracked and pre-DNAT policies are for hosts alone.
  private boolean concerns(PolicyKey key, PolicedKey endpoint) {
    return switch (endpoint) {
      case EndpointKey _ -> policyOf(key).isForWorkloads();
      case HostEndpointKey _ -> true;
    };
  }

  private CompiledPolicy policyOf(PolicyKey key) {
    CompiledPolicy policy = policies.get(key);
    if (policy == null) {
      throw new IllegalStateException("policy " + key + " matches without being there");
    }
    return policy;
  }

  private void matchStopped(PolicyKey key, PolicedKey endpoint) {
    if (!concerns(key, endpoint)) {
      return;
    }
    matchListener.onPolicyMatchStopped(key, endpoint);
    Integer left =
        matchCounts.computeIfPresent(key, (policy, count) -> count == 1 ? null : count - 1);
    if (left == null) {
      rulesListener.onRulesInactive(new RulesKey.OfPolicy(key));
    }
  }
}
