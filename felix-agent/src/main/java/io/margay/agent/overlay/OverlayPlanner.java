package io.margay.agent.overlay;

import io.margay.agent.calc.ClusterView;
import io.margay.agent.calc.ClusterView.VxlanPool;
import io.margay.agent.calc.TunnelKnobs;
import io.margay.agent.overlay.OverlayPlan.Peer;
import io.margay.agent.overlay.OverlayPlan.Tunnel;
import io.margay.agent.overlay.OverlayPlan.Way;
import io.margay.agent.overlay.OverlayPlan.Wrapping;
import io.margay.ipam.BlockOwners;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.MacAddress;
import io.margay.model.net.Prefix;
import io.margay.model.resource.AddressOnLink;
import io.margay.model.resource.Node;
import io.margay.model.resource.NodeBgp;
import io.margay.model.resource.NodeSpec;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// Works out a node's [OverlayPlan] as Calico's `L3RouteResolver` and `VXLANResolver` do. Pure:
/// equal inputs, equal plans.
public final class OverlayPlanner {

  /// Nodes named in a problem before the rest is counted only.
  private static final int MAX_NAMED = 8;

  private final String nodeName;
  private final ClusterView cluster;
  private final BlockOwners blocks;
  private final TunnelKnobs knobs;

  private OverlayPlanner(
      String nodeName, ClusterView cluster, BlockOwners blocks, TunnelKnobs knobs) {
    this.nodeName = nodeName;
    this.cluster = cluster;
    this.blocks = blocks;
    this.knobs = knobs;
  }

  /// @param nodeName this node
  public static OverlayPlan plan(
      String nodeName, ClusterView cluster, BlockOwners blocks, TunnelKnobs knobs) {
    List<VxlanPool> pools = cluster.vxlanPools();
    if (pools.isEmpty()) {
      return OverlayPlan.NONE;
    }
    OverlayPlanner planner = new OverlayPlanner(nodeName, cluster, blocks, knobs);
    Map<IpFamily, Wrapping> wrappings = new EnumMap<>(IpFamily.class);
    List<String> problems = new ArrayList<>();
    for (IpFamily family : IpFamily.values()) {
      List<VxlanPool> own = pools.stream().filter(pool -> pool.cidr().family() == family).toList();
      if (!own.isEmpty()) {
        wrappings.put(family, planner.wrapping(family, own, problems));
      }
    }
    return new OverlayPlan(wrappings, problems);
  }

  private Wrapping wrapping(IpFamily family, List<VxlanPool> pools, List<String> problems) {
    Optional<AddressOnLink> here =
        cluster.node(nodeName).flatMap(node -> machine(node.spec(), family));
    Optional<Tunnel> tunnel = tunnel(family, here, problems);
    SortedMap<String, Peer> peers = new TreeMap<>();
    cluster
        .nodes()
        .forEach(
            (name, node) -> {
              if (!name.equals(nodeName)) {
                peer(name, node.spec(), family).ifPresent(peer -> peers.put(name, peer));
              }
            });
    Routes routes = new Routes(family, pools, here, tunnel.isPresent(), peers);
    blocks.visit(routes);
    routes.tellLost(problems);
    return new Wrapping(
        knobs.vni(),
        knobs.port(),
        knobs.mtu(family),
        here.map(AddressOnLink::address),
        tunnel,
        peers,
        routes.found);
  }

  private Optional<Tunnel> tunnel(
      IpFamily family, Optional<AddressOnLink> here, List<String> problems) {
    if (here.isEmpty()) {
      problems.add(
          "Node "
              + nodeName
              + " has no spec.bgp.ipv"
              + family.version()
              + "Address, by which other nodes would know where to send; nothing is wrapped. Set it"
              + " with `margay apply`");
      return Optional.empty();
    }
    NodeSpec own = cluster.node(nodeName).orElseThrow().spec();
    IpAddress address = tunnelAddress(own, family);
    // Without one the address is being asked for, and that says itself why there is none.
    return address == null
        ? Optional.empty()
        : Optional.of(
            new Tunnel(address, TunnelMac.of(nodeName, own, family), here.get().address()));
  }

  private static Optional<Peer> peer(String name, NodeSpec node, IpFamily family) {
    IpAddress address = tunnelAddress(node, family);
    MacAddress mac = TunnelMac.of(name, node, family);
    return address == null
        ? Optional.empty()
        : machine(node, family).map(machine -> new Peer(address, mac, machine.address()));
  }

  private static @Nullable IpAddress tunnelAddress(NodeSpec node, IpFamily family) {
    return switch (family) {
      case IPV4 -> node.ipv4VXLANTunnelAddr();
      case IPV6 -> node.ipv6VXLANTunnelAddr();
    };
  }

  private static Optional<AddressOnLink> machine(NodeSpec node, IpFamily family) {
    NodeBgp bgp = node.bgp();
    if (bgp == null) {
      return Optional.empty();
    }
    return Optional.ofNullable(
        switch (family) {
          case IPV4 -> bgp.ipv4Address();
          case IPV6 -> bgp.ipv6Address();
        });
  }

  /// Where what other nodes have of the pools lies.
  private final class Routes implements BlockOwners.Visitor {

    private final IpFamily family;
    private final List<VxlanPool> pools;
    private final Optional<AddressOnLink> here;
    private final boolean mayWrap;
    private final SortedMap<String, Peer> peers;
    private final SortedMap<Prefix, Way> found = new TreeMap<>();
    private final TreeSet<String> lost = new TreeSet<>();

    Routes(
        IpFamily family,
        List<VxlanPool> pools,
        Optional<AddressOnLink> here,
        boolean mayWrap,
        SortedMap<String, Peer> peers) {
      this.family = family;
      this.pools = pools;
      this.here = here;
      this.mayWrap = mayWrap;
      this.peers = peers;
    }

    @Override
    public void owned(Prefix block, String node) {
      route(block, node);
    }

    @Override
    public void borrowed(IpAddress address, String node) {
      route(address.toHostPrefix(), node);
    }

    /// What is ours is a pod's own route, or the blackhole of its block.
    private void route(Prefix destination, String node) {
      if (node.equals(nodeName)) {
        return;
      }
      for (VxlanPool pool : pools) {
        if (pool.cidr().contains(destination)) {
          Optional<Way> way = pool.isCrossSubnet() ? plain(node) : Optional.empty();
          if (way.isEmpty()) {
            way = tunnelled(node);
          }
          way.ifPresent(to -> found.put(destination, to));
          return;
        }
      }
    }

    /// A node whose address lies in the subnet of our own.
    private Optional<Way> plain(String name) {
      Node node = cluster.nodes().get(name);
      if (node == null || here.isEmpty()) {
        return Optional.empty();
      }
      return machine(node.spec(), family)
          .map(AddressOnLink::address)
          .filter(here.get().subnet()::contains)
          .map(Way.Plain::new);
    }

    private Optional<Way> tunnelled(String node) {
      Peer peer = peers.get(node);
      if (peer == null) {
        lost.add(node);
        return Optional.empty();
      }
      return mayWrap ? Optional.of(new Way.Tunnelled(peer.address())) : Optional.empty();
    }

    void tellLost(List<String> problems) {
      if (lost.isEmpty()) {
        return;
      }
      String named = String.join(", ", lost.stream().limit(MAX_NAMED).toList());
      problems.add(
          "nodes with blocks of wrapped IPv"
              + family.version()
              + " pools but without an address or a tunnel address (yet): "
              + named
              + (lost.size() > MAX_NAMED ? " and " + (lost.size() - MAX_NAMED) + " more" : "")
              + "; their pods can't be reached from here");
    }
  }
}
