package io.margay.cli.policy;

import io.margay.agent.calc.HostKnobs;
import io.margay.agent.firewall.HostProtection;
import io.margay.agent.firewall.PacketLog;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.resource.FelixConfiguration;
import io.margay.model.resource.HostEndpoint;
import io.margay.model.resource.HostEndpointSpec;
import io.margay.model.resource.Node;
import io.margay.model.resource.Resource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The nodes of a world as ends of packets: which address is whose, and which host endpoint polices
/// it.
///
/// Where an address is on a node is the kernel's to know. Here it is where a host endpoint expects
/// it; of a node with one host endpoint by a name and none for all, at that one; otherwise at the
/// one for all (`*`).
final class Hosts {

  /// Begins names of interfaces that no document mentions.
  private static final String MADE_UP = "?host";

  /// A node's end of a packet.
  ///
  /// @param endpoint the host endpoint's name; null if none polices it
  /// @param interfaceName where it is
  record Host(String node, @Nullable String endpoint, InterfaceName interfaceName) {}

  /// A host endpoint.
  ///
  /// @param interfaceName null = by the addresses it expects
  private record Claim(String endpoint, @Nullable String interfaceName, List<IpAddress> expected) {

    boolean isForAll() {
      return HostEndpointSpec.ALL_INTERFACES.equals(interfaceName);
    }

    boolean isByName() {
      return interfaceName != null && !isForAll();
    }
  }

  /// By node. Of those that claim the same interface, the first by name.
  private final Map<String, List<Claim>> claims = new HashMap<>();

  private final Map<IpAddress, String> nodes;
  private final List<FelixConfiguration> configurations = new ArrayList<>();
  private final Map<String, Map<String, String>> labels = new HashMap<>();

  /// @param nodes the nodes' names by their addresses
  Hosts(Collection<Resource> resources, Map<IpAddress, String> nodes) {
    this.nodes = nodes;
    List<HostEndpoint> endpoints = new ArrayList<>();
    for (Resource resource : resources) {
      if (resource instanceof HostEndpoint endpoint) {
        endpoints.add(endpoint);
      } else if (resource instanceof FelixConfiguration configuration) {
        configurations.add(configuration);
      } else if (resource instanceof Node node) {
        labels.put(node.metadata().name(), node.metadata().labels());
      }
    }
    endpoints.sort(Comparator.comparing(endpoint -> endpoint.metadata().name()));
    endpoints.forEach(this::claim);
  }

  private void claim(HostEndpoint endpoint) {
    HostEndpointSpec spec = endpoint.spec();
    if (spec.node() == null) {
      return;
    }
    List<Claim> its = claims.computeIfAbsent(spec.node(), _ -> new ArrayList<>());
    String name = spec.interfaceName();
    if (name == null || its.stream().noneMatch(other -> name.equals(other.interfaceName()))) {
      its.add(new Claim(endpoint.metadata().name(), name, spec.expectedIPs()));
    }
  }

  /// The node that has the address, and what polices it there; null if no node is known to have it.
  ///
  /// @param on the node, where it is known otherwise
  @Nullable Host at(IpAddress address, @Nullable String on) {
    String node = on == null ? nodes.get(address) : on;
    if (node == null) {
      node = expecting(address);
    }
    return node == null ? null : at(address, node, claims.getOrDefault(node, List.of()));
  }

  /// The node that a host endpoint expects to have it.
  private @Nullable String expecting(IpAddress address) {
    return claims.entrySet().stream()
        .filter(of -> of.getValue().stream().anyMatch(it -> it.expected().contains(address)))
        .map(Map.Entry::getKey)
        .min(Comparator.naturalOrder())
        .orElse(null);
  }

  /// Where packets between the node's pods and other nodes pass, if one host endpoint polices that:
  /// the one for all, or the only one there is; null otherwise.
  @Nullable Host uplink(String node) {
    List<Claim> its = claims.getOrDefault(node, List.of());
    if (its.size() == 1 && its.getFirst().interfaceName() == null) {
      List<IpAddress> expected = its.getFirst().expected();
      return expected.isEmpty() ? null : at(expected.getFirst(), node, its);
    }
    Host host = anywhere(node, its);
    return host.endpoint() == null ? null : host;
  }

  /// A name goes before an address, and that before all.
  private Host at(IpAddress address, String node, List<Claim> its) {
    List<Claim> expecting = its.stream().filter(it -> it.expected().contains(address)).toList();
    for (Claim claim : expecting) {
      String name = claim.interfaceName();
      if (name != null && claim.isByName()) {
        return new Host(node, claim.endpoint(), new InterfaceName(name));
      }
    }
    for (Claim claim : expecting) {
      if (claim.interfaceName() == null) {
        return new Host(node, claim.endpoint(), madeUp(its, address));
      }
    }
    return anywhere(node, its);
  }

  private static Host anywhere(String node, List<Claim> its) {
    List<Claim> named = new ArrayList<>();
    for (Claim claim : its) {
      if (claim.isForAll()) {
        return new Host(node, claim.endpoint(), new InterfaceName(MADE_UP));
      }
      if (claim.isByName()) {
        named.add(claim);
      }
    }
    String name = named.size() == 1 ? named.getFirst().interfaceName() : null;
    return name != null
        ? new Host(node, named.getFirst().endpoint(), new InterfaceName(name))
        : new Host(node, null, new InterfaceName(MADE_UP));
  }

  /// Each address that is a host endpoint's by itself is on an interface of its own.
  private static InterfaceName madeUp(List<Claim> its, IpAddress address) {
    return new InterfaceName(MADE_UP + byAddress(its).indexOf(address));
  }

  private static List<IpAddress> byAddress(List<Claim> its) {
    return its.stream()
        .filter(claim -> claim.interfaceName() == null)
        .flatMap(claim -> claim.expected().stream())
        .distinct()
        .toList();
  }

  /// The addresses of the node's interfaces, as far as host endpoints are found by them.
  Map<InterfaceName, Set<IpAddress>> addresses(String node) {
    List<Claim> its = claims.getOrDefault(node, List.of());
    Map<InterfaceName, Set<IpAddress>> addresses = new HashMap<>();
    byAddress(its).forEach(address -> addresses.put(madeUp(its, address), Set.of(address)));
    return addresses;
  }

  /// What keeps the node reachable beside policy. The agent keeps its own datastore reachable too,
  /// which documents don't know.
  HostProtection protection(String node) {
    HostKnobs knobs = new HostKnobs(node, List.of(), PacketLog.DEFAULT);
    configurations.forEach(
        configuration -> knobs.onUpdate(configuration.metadata().name(), configuration));
    knobs.setNodeLabels(labels.get(node));
    return knobs.read().protection();
  }
}
