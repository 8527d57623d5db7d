package io.margay.agent.firewall;

import io.margay.linux.nft.NftChain;
import io.margay.linux.nft.NftData;
import io.margay.linux.nft.NftElement;
import io.margay.linux.nft.NftTable;
import io.margay.linux.nft.NftVerdict;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.policy.EndpointKey;
import io.margay.policy.EndpointPolicy;
import io.margay.policy.TierPolicies;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The workloads of the node: which interface is whose, and what of it is in the kernel.
final class WorkloadEndpoints {

  private static final Logger LOG = LoggerFactory.getLogger(WorkloadEndpoints.class);

  private final NftTable table;
  private final FirewallSettings settings;
  private final TierUse tiers;
  private final HostPorts hostPorts;
  private final Map<EndpointKey, EndpointPolicy> endpoints = new TreeMap<>();

  /// Who claims an interface: one endpoint, or by a fault of the datastore several.
  private final Map<InterfaceName, TreeSet<EndpointKey>> claims = new HashMap<>();

  private final Map<InterfaceName, EndpointPolicy> written = new HashMap<>();
  private final Set<InterfaceName> foreign = new HashSet<>();
  private final Set<InterfaceName> dirty = new TreeSet<>();
  private final Map<InterfaceName, List<Prefix>> spoofable = new HashMap<>();
  private boolean maySpoof;

  WorkloadEndpoints(NftTable table, FirewallSettings settings, TierUse tiers, HostPorts hostPorts) {
    this.table = table;
    this.settings = settings;
    this.tiers = tiers;
    this.hostPorts = hostPorts;
  }

  /// @param policy null = there is no such endpoint
  void put(EndpointKey key, @Nullable EndpointPolicy policy) {
    claim(key, policy);
    if (policy == null) {
      endpoints.remove(key);
    } else {
      endpoints.put(key, policy);
    }
  }

  Map<EndpointKey, EndpointPolicy> all() {
    return endpoints;
  }

  /// Whether endpoints may send from the prefixes that they name beside their own addresses.
  void setMaySpoof(boolean may) {
    if (may != maySpoof) {
      maySpoof = may;
      dirty.addAll(claims.keySet());
    }
  }

  /// The prefixes that endpoints on interfaces of ours may send from, by interface.
  Map<InterfaceName, List<Prefix>> spoofable() {
    return spoofable;
  }

  /// The endpoint's policy as far as the node grants it.
  private EndpointPolicy granted(EndpointPolicy policy) {
    return maySpoof || policy.spoofable().isEmpty()
        ? policy
        : new EndpointPolicy(
            policy.interfaceName(),
            policy.addresses(),
            policy.ingress(),
            policy.egress(),
            policy.profiles(),
            policy.hostPorts(),
            List.of());
  }

  /// Interfaces in use that another plugin named.
  Set<InterfaceName> foreign() {
    return foreign;
  }

  /// The profile came or went, which endpoints that name it must know.
  void onProfile(String name) {
    endpoints.values().stream()
        .filter(policy -> policy.profiles().contains(name))
        .forEach(policy -> dirty.add(policy.interfaceName()));
  }

  /// All chains are written anew.
  void onAll() {
    dirty.addAll(claims.keySet());
  }

  /// Writes what may differ.
  ///
  /// @return whether [#foreign] changed
  boolean render(Map<IpFamily, NftRenderer> renderers, Predicate<String> hasProfile) {
    boolean foreignChanged = false;
    for (InterfaceName name : dirty) {
      foreignChanged |= render(name, renderers, hasProfile);
    }
    dirty.clear();
    return foreignChanged;
  }

  private void claim(EndpointKey key, @Nullable EndpointPolicy policy) {
    EndpointPolicy before = endpoints.get(key);
    if (before != null) {
      TreeSet<EndpointKey> claimants = claims.get(before.interfaceName());
      if (claimants != null && claimants.remove(key) && claimants.isEmpty()) {
        claims.remove(before.interfaceName());
      }
      dirty.add(before.interfaceName());
    }
    if (policy != null) {
      claims.computeIfAbsent(policy.interfaceName(), _ -> new TreeSet<>()).add(key);
      dirty.add(policy.interfaceName());
    }
  }

  private boolean render(
      InterfaceName name, Map<IpFamily, NftRenderer> renderers, Predicate<String> hasProfile) {
    Set<EndpointKey> claimants = claims.getOrDefault(name, new TreeSet<>());
    if (claimants.size() > 1) {
      LOG.atWarn()
          .addKeyValue("interface", name)
          .addKeyValue("endpoints", claimants)
          .log("Several endpoints claim one interface; it is closed until one is left");
    }
    EndpointKey key = claimants.size() == 1 ? claimants.iterator().next() : null;
    EndpointPolicy before = written.get(name);
    EndpointPolicy claimed = key == null ? null : endpoints.get(key);
    EndpointPolicy now = claimed == null ? null : granted(claimed);
    if (now == null || now.spoofable().isEmpty() || !settings.isNamedByUs(name)) {
      spoofable.remove(name);
    } else {
      spoofable.put(name, now.spoofable());
    }
    countTiers(now, 1);
    countTiers(before, -1);
    if (before != null) {
      owned(before, now);
    }
    hostPorts.replace(name, before, now);
    boolean foreignChanged =
        !settings.isNamedByUs(name) && (now == null ? foreign.remove(name) : foreign.add(name));
    if (key == null || now == null) {
      if (written.remove(name) != null) {
        remove(name);
      }
      return foreignChanged;
    }
    written.put(name, now);
    renderers.forEach(
        (family, renderer) -> {
          for (Direction direction : Direction.values()) {
            NftChain chain = renderer.endpoint(key, now, direction, hasProfile);
            table.putChain(family, chain);
            table.putElement(
                family,
                Layout.dispatch(direction),
                NftElement.verdict(NftData.interfaceName(name), NftVerdict.jump(chain.name())));
          }
        });
    for (IpAddress address : now.addresses()) {
      table.putElement(address.family(), Layout.OWNED, owned(name, address));
    }
    return foreignChanged;
  }

  private void remove(InterfaceName name) {
    for (IpFamily family : IpFamily.values()) {
      for (Direction direction : Direction.values()) {
        table.removeElement(family, Layout.dispatch(direction), NftData.interfaceName(name));
        table.removeChain(family, NftRenderer.endpointChain(name, direction));
      }
    }
  }

  private void owned(EndpointPolicy before, @Nullable EndpointPolicy now) {
    List<IpAddress> gone = new ArrayList<>(before.addresses());
    if (now != null) {
      gone.removeAll(now.addresses());
    }
    for (IpAddress address : gone) {
      table.removeElement(
          address.family(), Layout.OWNED, owned(before.interfaceName(), address).key());
    }
  }

  private static NftElement owned(InterfaceName name, IpAddress address) {
    return NftElement.of(NftData.concat(NftData.interfaceName(name), NftData.address(address)));
  }

  private void countTiers(@Nullable EndpointPolicy policy, int by) {
    if (policy == null) {
      return;
    }
    for (Direction direction : Direction.values()) {
      for (TierPolicies tier : direction.tiers(policy)) {
        tiers.count(new TierKey(direction, tier), by);
      }
    }
  }
}
