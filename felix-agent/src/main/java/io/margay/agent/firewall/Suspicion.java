package io.margay.agent.firewall;

import io.margay.linux.conntrack.Connection;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import io.margay.policy.EndpointPolicy;
import io.margay.policy.HostEndpointPolicy;
import io.margay.policy.PolicyKey;
import io.margay.policy.TierPolicies;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/// Which connections changes may have denied.
///
/// @param ends addresses of endpoints all of whose connections are meant
/// @param peers addresses all of whose connections are meant, whoever has them
/// @param policies those whose rules changed
/// @param profiles those whose rules changed
/// @param endpoints all workloads' endpoints of the node
/// @param hosts all endpoints of the node's own interfaces
/// @param everything whether every connection is meant
public record Suspicion(
    Set<IpAddress> ends,
    Set<Prefix> peers,
    Set<PolicyKey> policies,
    Set<String> profiles,
    List<EndpointPolicy> endpoints,
    List<HostEndpointPolicy> hosts,
    boolean everything) {

  /// Which connections: those that touch one of the addresses, or one of the prefixes, by the ends
  /// that rules see.
  ///
  /// @param prefixes longer ones than single addresses
  public record Scope(Set<IpAddress> addresses, List<Prefix> prefixes, boolean everything)
      implements Predicate<Connection> {

    /// Whether the addresses alone tell.
    public boolean isByAddress() {
      return prefixes.isEmpty() && !everything;
    }

    @Override
    public boolean test(Connection connection) {
      return everything
          || covers(connection.source())
          || covers(connection.answerer())
          || covers(connection.destination());
    }

    private boolean covers(IpAddress address) {
      return addresses.contains(address)
          || prefixes.stream().anyMatch(prefix -> prefix.contains(address));
    }
  }

  /// Works out which connections are meant.
  public Scope scope() {
    Set<IpAddress> addresses = new HashSet<>(ends);
    Set<Prefix> prefixes = new HashSet<>(peers);
    boolean all = everything || hosts.stream().anyMatch(this::hasChanged);
    if (!policies.isEmpty() || !profiles.isEmpty()) {
      IdentityHashMap<TierPolicies, Boolean> changed = new IdentityHashMap<>();
      for (EndpointPolicy endpoint : endpoints) {
        if (hasChanged(endpoint, changed)) {
          addresses.addAll(endpoint.addresses());
          prefixes.addAll(endpoint.spoofable());
        }
      }
    }
    prefixes.stream().filter(Prefix::isHost).forEach(peer -> addresses.add(peer.address()));
    prefixes.removeIf(Prefix::isHost);
    return new Scope(addresses, List.copyOf(prefixes), all);
  }

  private boolean hasChanged(HostEndpointPolicy host) {
    return !Collections.disjoint(host.profiles(), profiles)
        || Arrays.stream(HostSlot.values())
            .flatMap(slot -> slot.tiers(host).stream())
            .anyMatch(tier -> !Collections.disjoint(tier.policies(), policies));
  }

  private boolean hasChanged(
      EndpointPolicy endpoint, IdentityHashMap<TierPolicies, Boolean> changed) {
    if (!Collections.disjoint(endpoint.profiles(), profiles)) {
      return true;
    }
    for (Direction direction : Direction.values()) {
      for (TierPolicies tier : direction.tiers(endpoint)) {
        if (changed.computeIfAbsent(tier, it -> !Collections.disjoint(it.policies(), policies))) {
          return true;
        }
      }
    }
    return false;
  }
}
