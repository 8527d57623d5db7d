package io.margay.agent.overlay;

import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.MacAddress;
import io.margay.model.net.Prefix;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/// What this node's overlay should be.
///
/// @param wrappings of each family that has a pool whose packets are wrapped
/// @param problems one line each: what is missing, for whom, and what then does not work
public record OverlayPlan(Map<IpFamily, Wrapping> wrappings, List<String> problems) {

  /// Nothing is wrapped.
  public static final OverlayPlan NONE = new OverlayPlan(Map.of(), List.of());

  public OverlayPlan {
    wrappings =
        wrappings.isEmpty()
            ? Map.of()
            : Collections.unmodifiableMap(new EnumMap<IpFamily, Wrapping>(wrappings));
    problems = List.copyOf(problems);
  }

  /// The addresses of other machines that packets may come wrapped from.
  public Set<IpAddress> machines() {
    Set<IpAddress> machines = new HashSet<>();
    wrappings.values().forEach(wrapping -> machines.addAll(wrapping.machines()));
    return machines;
  }

  /// How packets of one family's pools travel between nodes.
  ///
  /// @param vni VXLAN network identifier
  /// @param port UDP
  /// @param mtu of the device, where it is set; empty: what the links leave
  /// @param machine this node's own address, by which the others know it; empty: nobody said
  /// @param tunnel this node's end; empty: it has no address (yet), and nothing is wrapped
  /// @param peers the other nodes' ends, by node
  /// @param routes where what other nodes have lies
  public record Wrapping(
      int vni,
      int port,
      OptionalInt mtu,
      Optional<IpAddress> machine,
      Optional<Tunnel> tunnel,
      SortedMap<String, Peer> peers,
      SortedMap<Prefix, Way> routes) {

    public Wrapping {
      peers = Collections.unmodifiableSortedMap(new TreeMap<>(peers));
      routes = Collections.unmodifiableSortedMap(new TreeMap<>(routes));
    }

    Set<IpAddress> machines() {
      Set<IpAddress> machines = new HashSet<>();
      peers.values().forEach(peer -> machines.add(peer.machine()));
      return machines;
    }
  }

  /// This node's end of the tunnels.
  ///
  /// @param address of the device, from a pool
  /// @param mac of the device
  /// @param machine source of the outer packets
  public record Tunnel(IpAddress address, MacAddress mac, IpAddress machine) {}

  /// Another node's end.
  ///
  /// @param address of its device, to which routes lead
  /// @param mac of its device
  /// @param machine destination of the outer packets
  public record Peer(IpAddress address, MacAddress mac, IpAddress machine) {}

  /// How to get to another node's pods.
  public sealed interface Way {
    /// Wrapped.
    ///
    /// @param end the other node's tunnel address
    record Tunnelled(IpAddress end) implements Way {}

    /// As they are, to a node on our own subnet.
    ///
    /// @param machine the other node's address
    record Plain(IpAddress machine) implements Way {}
  }
}
