package io.margay.policy;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Puts the policies that apply to each local endpoint in order: tiers, and policies in each, for
/// either direction. Works once per flush and only on endpoints that something changed for.
final class PolicyResolver implements ActiveRulesCalculator.MatchListener {

  /// Hears what each local endpoint must have; null = the endpoint is gone. Repeats are possible.
  interface Listener {
    void onEndpointPolicy(EndpointKey key, @Nullable EndpointPolicy policy);
  }

  /// What of a policy matters here; its rules don't.
  private record Place(String tier, double order, boolean ingress, boolean egress) {}

  /// Tiers that don't exist come first: the policies that name them must deny, whatever other tiers
  /// allow. Ties in order are broken by name.
  private static final Comparator<RankedPolicy> EVALUATION_ORDER =
      Comparator.comparing((RankedPolicy ranked) -> ranked.tier != null)
          .thenComparingDouble(ranked -> ranked.tier == null ? 0 : ranked.tier.order())
          .thenComparing(ranked -> ranked.place.tier)
          .thenComparingDouble(ranked -> ranked.place.order)
          .thenComparing(ranked -> ranked.key);

  private record RankedPolicy(PolicyKey key, Place place, @Nullable TierPlace tier) {}

  private final Listener listener;
  private final Map<EndpointKey, LocalEndpoint> endpoints = new HashMap<>();
  private final Map<String, TierPlace> tiers = new HashMap<>();
  private final Map<PolicyKey, Place> places = new HashMap<>();
  private final Map<PolicyKey, Set<EndpointKey>> endpointsOf = new HashMap<>();
  private final Map<EndpointKey, Set<PolicyKey>> policiesOf = new HashMap<>();
  private final Set<EndpointKey> dirty = new HashSet<>();

  PolicyResolver(Listener listener) {
    this.listener = listener;
  }

  void onPolicy(PolicyKey key, @Nullable CompiledPolicy policy) {
    Place place =
        policy == null
            ? null
            : new Place(policy.tier(), policy.order(), policy.ingress(), policy.egress());
    Place old = place == null ? places.remove(key) : places.put(key, place);
    if (place != null && !place.equals(old)) {
      dirty.addAll(endpointsOf.getOrDefault(key, Set.of()));
    }
  }

  void onTier(String name, @Nullable TierPlace tier) {
    TierPlace old = tier == null ? tiers.remove(name) : tiers.put(name, tier);
    if (tier == null ? old == null : tier.equals(old)) {
      return;
    }
    endpointsOf.forEach(
        (key, selected) -> {
          Place place = places.get(key);
          if (place != null && place.tier.equals(name)) {
            dirty.addAll(selected);
          }
        });
  }

  void onLocalEndpoint(EndpointKey key, @Nullable LocalEndpoint endpoint) {
    LocalEndpoint old = endpoint == null ? endpoints.remove(key) : endpoints.put(key, endpoint);
    if (endpoint == null ? old != null : !endpoint.equals(old)) {
      dirty.add(key);
    }
  }

  @Override
  public void onPolicyMatch(PolicyKey policy, EndpointKey endpoint) {
    endpointsOf.computeIfAbsent(policy, key -> new HashSet<>()).add(endpoint);
    policiesOf.computeIfAbsent(endpoint, key -> new HashSet<>()).add(policy);
    dirty.add(endpoint);
  }

  @Override
  public void onPolicyMatchStopped(PolicyKey policy, EndpointKey endpoint) {
    remove(endpointsOf, policy, endpoint);
    remove(policiesOf, endpoint, policy);
    dirty.add(endpoint);
  }

  private static <K, V> void remove(Map<K, Set<V>> map, K key, V value) {
    Set<V> values = map.get(key);
    if (values != null && values.remove(value) && values.isEmpty()) {
      map.remove(key);
    }
  }

  /// Resolves every endpoint that changed since the last call.
  void flush() {
    for (EndpointKey key : dirty) {
      LocalEndpoint endpoint = endpoints.get(key);
      listener.onEndpointPolicy(key, endpoint == null ? null : resolve(key, endpoint));
    }
    dirty.clear();
  }

  private EndpointPolicy resolve(EndpointKey key, LocalEndpoint endpoint) {
    List<RankedPolicy> ranked = new ArrayList<>();
    for (PolicyKey policy : policiesOf.getOrDefault(key, Set.of())) {
      Place place = places.get(policy);
      if (place == null) {
        throw new IllegalStateException(
            "policy " + policy + " selects " + key + " without being there");
      }
      ranked.add(new RankedPolicy(policy, place, tiers.get(place.tier)));
    }
    ranked.sort(EVALUATION_ORDER);
    return new EndpointPolicy(
        endpoint.interfaceName(),
        endpoint.addresses(),
        inTiers(ranked.stream().filter(policy -> policy.place.ingress).toList()),
        inTiers(ranked.stream().filter(policy -> policy.place.egress).toList()),
        endpoint.profiles(),
        endpoint.hostPorts());
  }

  /// Groups policies, already in evaluation order, by tier.
  private static List<TierPolicies> inTiers(List<RankedPolicy> ranked) {
    List<TierPolicies> grouped = new ArrayList<>();
    int start = 0;
    while (start < ranked.size()) {
      RankedPolicy first = ranked.get(start);
      List<PolicyKey> keys = new ArrayList<>();
      int next = start;
      while (next < ranked.size() && ranked.get(next).place.tier.equals(first.place.tier)) {
        keys.add(ranked.get(next).key);
        next++;
      }
      grouped.add(
          new TierPolicies(
              first.place.tier,
              first.tier == null ? RuleAction.DENY : first.tier.endAction(),
              keys));
      start = next;
    }
    return grouped;
  }
}
