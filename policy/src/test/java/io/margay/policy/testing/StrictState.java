package io.margay.policy.testing;

import io.margay.model.net.Prefix;
import io.margay.model.resource.PolicyType;
import io.margay.policy.ComputedRule;
import io.margay.policy.EndpointPolicy;
import io.margay.policy.HostEndpointPolicy;
import io.margay.policy.HostStage;
import io.margay.policy.PeerMatch;
import io.margay.policy.PolicyKey;
import io.margay.policy.PolicyUpdate;
import io.margay.policy.RuleSet;
import io.margay.policy.SetId;
import io.margay.policy.SetMember;
import io.margay.policy.TierPolicies;
import io.margay.policy.oracle.PolicyState;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;

/// A dataplane that refuses what a kernel would refuse, or what a careful one should not be asked:
/// references to what isn't there, removal of what is referred to, steps out of order, two steps
/// for one key, overlapping prefixes in a set, and steps that change nothing.
public final class StrictState implements Consumer<PolicyUpdate> {

  private final PolicyState state = new PolicyState();
  private final Set<Object> keysOfThisFlush = new HashSet<>();
  private int lastRank;
  private int updates;

  public PolicyState state() {
    return state;
  }

  /// How many updates came since the last flush began.
  public int updates() {
    return updates;
  }

  public void beginFlush() {
    keysOfThisFlush.clear();
    lastRank = 0;
    updates = 0;
  }

  @Override
  public void accept(PolicyUpdate update) {
    updates++;
    require(rank(update) >= lastRank, "out of order", update);
    lastRank = rank(update);
    require(keysOfThisFlush.add(keyOf(update)), "the second of its key in one flush", update);
    switch (update) {
      case PolicyUpdate.SetUpdated set ->
          require(!state.sets().containsKey(set.id()), "of a set that exists", update);
      case PolicyUpdate.SetChanged change ->
          require(
              !change.added().isEmpty() || !change.removed().isEmpty(), "without change", update);
      case PolicyUpdate.SetRemoved(SetId id) ->
          require(usedSets().noneMatch(id::equals), "of a set in use", update);
      case PolicyUpdate.PolicyUpdated(PolicyKey key, RuleSet rules) -> {
        requireSets(rules, update);
        require(!rules.equals(state.policies().get(key)), "without change", update);
      }
      case PolicyUpdate.ProfileUpdated(String name, RuleSet rules) -> {
        requireSets(rules, update);
        require(!rules.equals(state.profiles().get(name)), "without change", update);
      }
      case PolicyUpdate.PolicyRemoved(PolicyKey key) ->
          require(
              Stream.concat(
                      state.endpoints().values().stream().flatMap(StrictState::tiersOf),
                      state.hosts().values().stream().flatMap(StrictState::tiersOf))
                  .noneMatch(tier -> tier.policies().contains(key)),
              "of a policy in use",
              update);
      case PolicyUpdate.ProfileRemoved _ -> {
        // An endpoint may name a profile that isn't there: it denies.
      }
      case PolicyUpdate.EndpointUpdated endpoint -> {
        tiersOf(endpoint.policy())
            .flatMap(tier -> tier.policies().stream())
            .forEach(
                key -> require(state.policies().containsKey(key), "needs policy " + key, update));
        require(
            !endpoint.policy().equals(state.endpoints().get(endpoint.key())),
            "without change",
            update);
      }
      case PolicyUpdate.HostEndpointUpdated host -> {
        tiersOf(host.policy())
            .flatMap(tier -> tier.policies().stream())
            .forEach(
                key -> require(state.policies().containsKey(key), "needs policy " + key, update));
        require(!host.policy().equals(state.hosts().get(host.key())), "without change", update);
      }
      case PolicyUpdate.EndpointRemoved _, PolicyUpdate.HostEndpointRemoved _ -> {}
    }
    state.accept(update);
    switch (update) {
      case PolicyUpdate.SetUpdated set -> requireNoOverlap(set.id());
      case PolicyUpdate.SetChanged set -> requireNoOverlap(set.id());
      case PolicyUpdate.SetRemoved _,
          PolicyUpdate.PolicyUpdated _,
          PolicyUpdate.PolicyRemoved _,
          PolicyUpdate.ProfileUpdated _,
          PolicyUpdate.ProfileRemoved _,
          PolicyUpdate.EndpointUpdated _,
          PolicyUpdate.EndpointRemoved _,
          PolicyUpdate.HostEndpointUpdated _,
          PolicyUpdate.HostEndpointRemoved _ -> {}
    }
  }

  private static void require(boolean condition, String complaint, PolicyUpdate update) {
    if (!condition) {
      throw new AssertionError("update " + complaint + ": " + update);
    }
  }

  private static int rank(PolicyUpdate update) {
    return switch (update) {
      case PolicyUpdate.SetUpdated _, PolicyUpdate.SetChanged _ -> 1;
      case PolicyUpdate.PolicyUpdated _ -> 2;
      case PolicyUpdate.ProfileUpdated _ -> 3;
      case PolicyUpdate.EndpointUpdated _, PolicyUpdate.HostEndpointUpdated _ -> 4;
      case PolicyUpdate.EndpointRemoved _, PolicyUpdate.HostEndpointRemoved _ -> 5;
      case PolicyUpdate.ProfileRemoved _ -> 6;
      case PolicyUpdate.PolicyRemoved _ -> 7;
      case PolicyUpdate.SetRemoved _ -> 8;
    };
  }

  private static Object keyOf(PolicyUpdate update) {
    return switch (update) {
      case PolicyUpdate.SetUpdated set -> set.id();
      case PolicyUpdate.SetChanged set -> set.id();
      case PolicyUpdate.SetRemoved set -> set.id();
      case PolicyUpdate.PolicyUpdated policy -> policy.key();
      case PolicyUpdate.PolicyRemoved policy -> policy.key();
      case PolicyUpdate.ProfileUpdated profile -> profile.name();
      case PolicyUpdate.ProfileRemoved profile -> profile.name();
      case PolicyUpdate.EndpointUpdated endpoint -> endpoint.key();
      case PolicyUpdate.EndpointRemoved endpoint -> endpoint.key();
      case PolicyUpdate.HostEndpointUpdated host -> host.key();
      case PolicyUpdate.HostEndpointRemoved host -> host.key();
    };
  }

  private static Stream<TierPolicies> tiersOf(EndpointPolicy endpoint) {
    return Stream.concat(endpoint.ingress().stream(), endpoint.egress().stream());
  }

  private static Stream<TierPolicies> tiersOf(HostEndpointPolicy host) {
    return Stream.of(HostStage.values())
        .flatMap(
            stage ->
                Stream.of(PolicyType.values())
                    .flatMap(direction -> host.tiers(stage, direction).stream()));
  }

  private void requireSets(RuleSet rules, PolicyUpdate update) {
    setsOf(rules).forEach(id -> require(state.sets().containsKey(id), "needs set " + id, update));
  }

  private Stream<SetId> usedSets() {
    return Stream.concat(state.policies().values().stream(), state.profiles().values().stream())
        .flatMap(StrictState::setsOf);
  }

  private static Stream<SetId> setsOf(RuleSet rules) {
    return Stream.concat(rules.ingress().stream(), rules.egress().stream())
        .flatMap((ComputedRule rule) -> Stream.of(rule.source(), rule.destination()))
        .flatMap(
            (PeerMatch peer) ->
                Stream.of(peer.sets(), peer.notSets(), peer.namedPorts(), peer.notNamedPorts())
                    .flatMap(List::stream));
  }

  private void requireNoOverlap(SetId id) {
    List<Prefix> prefixes =
        state.sets().getOrDefault(id, Set.of()).stream()
            .filter(SetMember.Net.class::isInstance)
            .map(member -> ((SetMember.Net) member).prefix())
            .sorted()
            .toList();
    for (int i = 1; i < prefixes.size(); i++) {
      if (prefixes.get(i - 1).overlaps(prefixes.get(i))) {
        throw new AssertionError(
            "set " + id + " has " + prefixes.get(i - 1) + " and " + prefixes.get(i));
      }
    }
  }
}
