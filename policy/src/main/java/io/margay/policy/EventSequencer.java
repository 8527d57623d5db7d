package io.margay.policy;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Collects what the graph computes and hands on, per flush, what differs from what was handed on
/// before: referents first, referrers after, removals the other way round.
///
/// The only place where work is put off; the graph's other nodes know only what is.
final class EventSequencer
    implements IpSetMemberIndex.Listener,
        RuleScanner.ComputedRulesListener,
        PolicyResolver.Listener {

  private final Map<SetId, SetKind> sets = new HashMap<>();
  private final Set<SetId> sentSets = new HashSet<>();
  private final TreeMap<SetId, MemberDelta> changedSets = new TreeMap<>();
  private final Ledger<PolicyKey, RuleSet> policies = new Ledger<>();
  private final Ledger<String, RuleSet> profiles = new Ledger<>();
  private final Ledger<EndpointKey, EndpointPolicy> endpoints = new Ledger<>();
  private final Ledger<HostEndpointKey, HostEndpointPolicy> hosts = new Ledger<>();

  @Override
  public void onSetAdded(SetId id, SetKind kind) {
    sets.put(id, kind);
    deltaOf(id);
  }

  @Override
  public void onMemberAdded(SetId id, SetMember member) {
    MemberDelta delta = deltaOf(id);
    if (!delta.removed.remove(member)) {
      delta.added.add(member);
    }
  }

  @Override
  public void onMemberRemoved(SetId id, SetMember member) {
    MemberDelta delta = deltaOf(id);
    if (!delta.added.remove(member)) {
      delta.removed.add(member);
    }
  }

  @Override
  public void onSetRemoved(SetId id) {
    sets.remove(id);
    deltaOf(id);
  }

  private MemberDelta deltaOf(SetId id) {
    return changedSets.computeIfAbsent(id, key -> new MemberDelta());
  }

  @Override
  public void onRules(RulesKey key, RuleSet rules) {
    switch (key) {
      case RulesKey.OfPolicy(PolicyKey policy) -> policies.put(policy, rules);
      case RulesKey.OfProfile(String profile) -> profiles.put(profile, rules);
    }
  }

  @Override
  public void onRulesRemoved(RulesKey key) {
    switch (key) {
      case RulesKey.OfPolicy(PolicyKey policy) -> policies.put(policy, null);
      case RulesKey.OfProfile(String profile) -> profiles.put(profile, null);
    }
  }

  @Override
  public void onEndpointPolicy(EndpointKey key, @Nullable EndpointPolicy policy) {
    endpoints.put(key, policy);
  }

  @Override
  public void onHostEndpointPolicy(HostEndpointKey key, @Nullable HostEndpointPolicy policy) {
    hosts.put(key, policy);
  }

  void flush(Consumer<? super PolicyUpdate> sink) {
    List<PolicyUpdate> setRemovals = new ArrayList<>();
    List<PolicyUpdate> policyRemovals = new ArrayList<>();
    List<PolicyUpdate> profileRemovals = new ArrayList<>();
    List<PolicyUpdate> endpointRemovals = new ArrayList<>();

    flushSets(sink, setRemovals);
    policies.flush(
        (key, rules) -> sink.accept(new PolicyUpdate.PolicyUpdated(key, rules)),
        key -> policyRemovals.add(new PolicyUpdate.PolicyRemoved(key)));
    profiles.flush(
        (name, rules) -> sink.accept(new PolicyUpdate.ProfileUpdated(name, rules)),
        name -> profileRemovals.add(new PolicyUpdate.ProfileRemoved(name)));
    endpoints.flush(
        (key, policy) -> sink.accept(new PolicyUpdate.EndpointUpdated(key, policy)),
        key -> endpointRemovals.add(new PolicyUpdate.EndpointRemoved(key)));
    hosts.flush(
        (key, policy) -> sink.accept(new PolicyUpdate.HostEndpointUpdated(key, policy)),
        key -> endpointRemovals.add(new PolicyUpdate.HostEndpointRemoved(key)));

    endpointRemovals.forEach(sink);
    profileRemovals.forEach(sink);
    policyRemovals.forEach(sink);
    setRemovals.forEach(sink);
  }

  private void flushSets(Consumer<? super PolicyUpdate> sink, List<PolicyUpdate> removals) {
    changedSets.forEach(
        (id, delta) -> {
          SetKind kind = sets.get(id);
          if (kind == null) {
            if (sentSets.remove(id)) {
              removals.add(new PolicyUpdate.SetRemoved(id));
            }
          } else if (sentSets.add(id)) {
            sink.accept(new PolicyUpdate.SetUpdated(id, kind, delta.added));
          } else if (!delta.added.isEmpty() || !delta.removed.isEmpty()) {
            sink.accept(new PolicyUpdate.SetChanged(id, delta.added, delta.removed));
          }
        });
    changedSets.clear();
  }

  /// What a set gained and lost since the last flush, net.
  private static final class MemberDelta {
    private final Set<SetMember> added = new HashSet<>();
    private final Set<SetMember> removed = new HashSet<>();
  }

  /// What was handed on under each key, and the keys that may differ now.
  private static final class Ledger<K extends Comparable<K>, V> {
    private final Map<K, V> wanted = new HashMap<>();
    private final Map<K, V> sent = new HashMap<>();
    private final TreeSet<K> touched = new TreeSet<>();

    private void put(K key, @Nullable V value) {
      if (value == null) {
        wanted.remove(key);
      } else {
        wanted.put(key, value);
      }
      touched.add(key);
    }

    private void flush(BiConsumer<K, V> updated, Consumer<K> removed) {
      for (K key : touched) {
        V now = wanted.get(key);
        if (now == null) {
          if (sent.remove(key) != null) {
            removed.accept(key);
          }
        } else if (!now.equals(sent.put(key, now))) {
          updated.accept(key, now);
        }
      }
      touched.clear();
    }
  }
}
