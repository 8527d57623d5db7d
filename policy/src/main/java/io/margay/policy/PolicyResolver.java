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
/// either direction and, on hosts, each stage. Works once per flush and only on endpoints that
/// something changed for.
final class PolicyResolver implements ActiveRulesCalculator.MatchListener {

  /// Hears what each local endpoint must have; null = the endpoint is gone. Repeats are possible.
  interface Listener {
    void onEndpointPolicy(EndpointKey key, @Nullable EndpointPolicy policy);

    void onHostEndpointPolicy(HostEndpointKey key, @Nullable HostEndpointPolicy policy);
  }

  /// What of a policy matters here; its rules don't.
  private record Place(
      String tier, double order, Set<HostStage> stages, boolean ingress, boolean egress) {}

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
  private final Map<PolicedKey, Policed> endpoints = new HashMap<>();
  private final Map<String, TierPlace> tiers = new HashMap<>();
  private final Map<PolicyKey, Place> places = new HashMap<>();
  private final Map<PolicyKey, Set<PolicedKey>> endpointsOf = new HashMap<>();
  private final Map<PolicedKey, Set<PolicyKey>> policiesOf = new HashMap<>();
  private final Set<PolicedKey> dirty = new HashSet<>();

  PolicyResolver(Listener listener) {
    this.listener = listener;
  }

  void onPolicy(PolicyKey key, @Nullable CompiledPolicy policy) {
    Place place =
        policy == null
            ? null
            : new Place(
                policy.tier(), policy.order(), policy.stages(), policy.ingress(), policy.egress());
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

  void onPoliced(PolicedKey key, @Nullable Policed endpoint) {
    Policed old = endpoint == null ? endpoints.remove(key) : endpoints.put(key, endpoint);
    if (endpoint == null ? old != null : !endpoint.equals(old)) {
      dirty.add(key);
    }
  }

  @Override
  public void onPolicyMatch(PolicyKey policy, PolicedKey endpoint) {
    endpointsOf.computeIfAbsent(policy, key -> new HashSet<>()).add(endpoint);
    policiesOf.computeIfAbsent(endpoint, key -> new HashSet<>()).add(policy);
    dirty.add(endpoint);
  }

  @Override
  public void onPolicyMatchStopped(PolicyKey policy, PolicedKey endpoint) {
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
    for (PolicedKey key : dirty) {
      switch (key) {
        case EndpointKey workload ->
            listener.onEndpointPolicy(
                workload,
                endpoints.get(key) instanceof LocalEndpoint endpoint
                    ? resolve(key, endpoint)
                    : null);
        case HostEndpointKey host ->
            listener.onHostEndpointPolicy(
                host,
                endpoints.get(key) instanceof LocalHost endpoint ? resolve(key, endpoint) : null);
      }
    }
    dirty.clear();
  }

  private EndpointPolicy resolve(PolicedKey key, LocalEndpoint endpoint) {
    List<RankedPolicy> ranked = ranked(key);
    return new EndpointPolicy(
        endpoint.interfaceName(),
        endpoint.addresses(),
        inTiers(ranked.stream().filter(policy -> policy.place.ingress).toList()),
        inTiers(ranked.stream().filter(policy -> policy.place.egress).toList()),
        endpoint.profiles(),
        endpoint.hostPorts(),
        endpoint.spoofable());
  }

  private HostEndpointPolicy resolve(PolicedKey key, LocalHost endpoint) {
    List<RankedPolicy> ranked = ranked(key);
    return new HostEndpointPolicy(
        endpoint.where(),
        at(HostStage.UNTRACKED, ranked),
        at(HostStage.PRE_DNAT, ranked).ingress(),
        at(HostStage.NORMAL, ranked),
        at(HostStage.FORWARDED, ranked),
        endpoint.profiles());
  }

  private static HostEndpointPolicy.Tiers at(HostStage stage, List<RankedPolicy> ranked) {
    List<RankedPolicy> here =
        ranked.stream().filter(policy -> policy.place.stages.contains(stage)).toList();
    return new HostEndpointPolicy.Tiers(
        ended(stage, inTiers(here.stream().filter(policy -> policy.place.ingress).toList())),
        ended(stage, inTiers(here.stream().filter(policy -> policy.place.egress).toList())));
  }

  /// Before connection tracking and DNAT a tier ends without a say, whatever its default action:
  /// the later stages are still to come.
  private static List<TierPolicies> ended(HostStage stage, List<TierPolicies> tiers) {
    return switch (stage) {
      case NORMAL, FORWARDED -> tiers;
      case UNTRACKED, PRE_DNAT ->
          tiers.stream()
              .map(tier -> new TierPolicies(tier.tier(), RuleAction.PASS, tier.policies()))
              .toList();
    };
  }

  /// The policies that select the endpoint, in evaluation order.
  private List<RankedPolicy> ranked(PolicedKey key) {
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
    return ranked;
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
      grouped.add(new TierPolicies(first.place.tier, endOf(first.tier, keys), keys));
      start = next;
    }
    return grouped;
  }

  private static RuleAction endOf(@Nullable TierPlace tier, List<PolicyKey> policies) {
    if (policies.stream().allMatch(PolicyKey::isStaged)) {
      return RuleAction.PASS;
    }
    return tier == null ? RuleAction.DENY : tier.endAction();
  }
}
