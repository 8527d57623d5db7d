package io.margay.agent.firewall;

import io.margay.model.net.IpFamily;
import io.margay.policy.PolicyKey;
import io.margay.policy.RuleSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Which tiers' chains there must be: those that some endpoint jumps to.
final class TierUse {

  private final Map<TierKey, Integer> users = new HashMap<>();
  private final Map<PolicyKey, Set<TierKey>> usedBy = new HashMap<>();
  private final Set<TierKey> dirty = new HashSet<>();
  private final Map<PolicyKey, String> tierOf = new HashMap<>();
  private final Set<PolicyKey> moved = new HashSet<>();

  /// @param by how many users more, or fewer
  void count(TierKey key, int by) {
    int before = users.getOrDefault(key, 0);
    if (before + by == 0) {
      if (users.remove(key) != null) {
        key.tier().policies().forEach(policy -> unused(policy, key));
      }
      dirty.add(key);
    } else {
      users.put(key, before + by);
      if (before == 0) {
        dirty.add(key);
        for (PolicyKey policy : key.tier().policies()) {
          usedBy.computeIfAbsent(policy, _ -> new HashSet<>(2)).add(key);
          if (!key.tier().tier().equals(tierOf.put(policy, key.tier().tier()))) {
            moved.add(policy);
          }
        }
      }
    }
  }

  private void unused(PolicyKey policy, TierKey key) {
    usedBy.computeIfPresent(
        policy,
        (_, tiers) -> {
          tiers.remove(key);
          return tiers.isEmpty() ? null : tiers;
        });
  }

  /// The tier of a policy that some endpoint has; null for others.
  @Nullable String tierOf(PolicyKey policy) {
    return tierOf.get(policy);
  }

  /// Policies whose tier is another since the last call, or is known since then.
  Set<PolicyKey> takeMoved() {
    Set<PolicyKey> taken = Set.copyOf(moved);
    moved.clear();
    return taken;
  }

  /// The policy is no more.
  void forget(PolicyKey policy) {
    tierOf.remove(policy);
  }

  /// All chains are written anew.
  void onAll() {
    dirty.addAll(users.keySet());
  }

  /// The policy's rules have changed.
  void onPolicy(PolicyKey key) {
    dirty.addAll(usedBy.getOrDefault(key, Set.of()));
  }

  /// Writes the chains that may differ.
  void render(
      Map<IpFamily, NftRenderer> renderers,
      RenderedChains chains,
      Function<PolicyKey, @Nullable RuleSet> policies) {
    for (TierKey key : dirty) {
      boolean used = users.containsKey(key);
      renderers.forEach(
          (family, renderer) ->
              chains.set(
                  family, Layout.tierChain(key), used ? renderer.tier(key, policies) : null));
    }
    dirty.clear();
  }
}
