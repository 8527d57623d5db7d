package io.margay.policy.oracle;

import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import io.margay.policy.EndpointKey;
import io.margay.policy.EndpointPolicy;
import io.margay.policy.HostEndpointKey;
import io.margay.policy.HostEndpointPolicy;
import io.margay.policy.PolicyKey;
import io.margay.policy.PolicyUpdate;
import io.margay.policy.RuleSet;
import io.margay.policy.SetId;
import io.margay.policy.SetKind;
import io.margay.policy.SetMember;
import java.util.Collections;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// What a stream of policy updates amounts to: the state a dataplane that applied them is in.
public final class PolicyState implements Consumer<PolicyUpdate>, RuleMatcher.Sets {

  /// One set.
  record MemberSet(SetKind kind, Set<SetMember> members) {}

  private final Map<SetId, MemberSet> sets = new TreeMap<>();
  private final Map<PolicyKey, RuleSet> policies = new TreeMap<>();
  private final Map<String, RuleSet> profiles = new TreeMap<>();
  private final Map<EndpointKey, EndpointPolicy> endpoints = new TreeMap<>();
  private final Map<HostEndpointKey, HostEndpointPolicy> hosts = new TreeMap<>();

  /// Applies one update.
  ///
  /// @throws IllegalStateException if it does not fit: a change of what isn't there, a removal of
  ///   what never was
  @Override
  public void accept(PolicyUpdate update) {
    switch (update) {
      case PolicyUpdate.SetUpdated(SetId id, SetKind kind, Set<SetMember> members) ->
          sets.put(id, new MemberSet(kind, new HashSet<>(members)));
      case PolicyUpdate.SetChanged change -> apply(change);
      case PolicyUpdate.SetRemoved(SetId id) -> known(sets.remove(id), update);
      case PolicyUpdate.PolicyUpdated(PolicyKey key, RuleSet rules) -> policies.put(key, rules);
      case PolicyUpdate.PolicyRemoved(PolicyKey key) -> known(policies.remove(key), update);
      case PolicyUpdate.ProfileUpdated(String name, RuleSet rules) -> profiles.put(name, rules);
      case PolicyUpdate.ProfileRemoved(String name) -> known(profiles.remove(name), update);
      case PolicyUpdate.EndpointUpdated(EndpointKey key, EndpointPolicy policy) ->
          endpoints.put(key, policy);
      case PolicyUpdate.EndpointRemoved(EndpointKey key) -> known(endpoints.remove(key), update);
      case PolicyUpdate.HostEndpointUpdated(HostEndpointKey key, HostEndpointPolicy policy) ->
          hosts.put(key, policy);
      case PolicyUpdate.HostEndpointRemoved(HostEndpointKey key) ->
          known(hosts.remove(key), update);
    }
  }

  private void apply(PolicyUpdate.SetChanged change) {
    Set<SetMember> members = known(sets.get(change.id()), change).members();
    for (SetMember member : change.removed()) {
      if (!members.remove(member)) {
        throw new IllegalStateException(member + " leaves set " + change.id() + ", not in it");
      }
    }
    for (SetMember member : change.added()) {
      if (!members.add(member)) {
        throw new IllegalStateException(member + " joins set " + change.id() + " again");
      }
    }
  }

  private static <T> T known(@Nullable T value, PolicyUpdate update) {
    if (value == null) {
      throw new IllegalStateException("nothing there for " + update);
    }
    return value;
  }

  public Map<SetId, Set<SetMember>> sets() {
    Map<SetId, Set<SetMember>> view = new TreeMap<>();
    sets.forEach((id, set) -> view.put(id, Collections.unmodifiableSet(set.members())));
    return view;
  }

  public Map<PolicyKey, RuleSet> policies() {
    return Collections.unmodifiableMap(policies);
  }

  public Map<String, RuleSet> profiles() {
    return Collections.unmodifiableMap(profiles);
  }

  public Map<EndpointKey, EndpointPolicy> endpoints() {
    return Collections.unmodifiableMap(endpoints);
  }

  public Map<HostEndpointKey, HostEndpointPolicy> hosts() {
    return Collections.unmodifiableMap(hosts);
  }

  @Override
  public boolean containsAddress(SetId id, IpAddress address) {
    Set<SetMember> members = membersOf(id, SetKind.NETS);
    for (int length = address.family().bits(); length >= 0; length--) {
      if (members.contains(new SetMember.Net(Prefix.containing(address, length)))) {
        return true;
      }
    }
    return false;
  }

  @Override
  public boolean containsPort(SetId id, IpAddress address, int protocol, int port) {
    return membersOf(id, SetKind.NAMED_PORTS)
        .contains(new SetMember.NamedPort(address, protocol, port));
  }

  private Set<SetMember> membersOf(SetId id, SetKind kind) {
    MemberSet set = sets.get(id);
    if (set == null || set.kind() != kind) {
      throw new IllegalStateException("a rule needs set " + id + " of kind " + kind + ": " + set);
    }
    return set.members();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof PolicyState state
        && sets.equals(state.sets)
        && policies.equals(state.policies)
        && profiles.equals(state.profiles)
        && endpoints.equals(state.endpoints)
        && hosts.equals(state.hosts);
  }

  @Override
  public int hashCode() {
    return endpoints.hashCode();
  }

  @Override
  public String toString() {
    return "sets "
        + sets
        + "\npolicies "
        + policies
        + "\nprofiles "
        + profiles
        + "\nendpoints "
        + endpoints
        + "\nhosts "
        + hosts;
  }
}
