package io.margay.agent;

import io.margay.agent.bgp.LinkAddress;
import io.margay.agent.dataplane.LinkIndex;
import io.margay.agent.firewall.Ways;
import io.margay.linux.LinuxException;
import io.margay.linux.route.Address;
import io.margay.linux.route.Link;
import io.margay.linux.route.Links;
import io.margay.linux.route.NextHop;
import io.margay.linux.route.Route;
import io.margay.linux.route.RouteType;
import io.margay.linux.route.Rtnetlink;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Predicate;

/// What the agent needs to know of the host's network.
final class HostSettings {

  /// Ethernet's payload, where no link says otherwise.
  static final int DEFAULT_MTU = 1500;

  /// Devices that may lead to other nodes: physical ones, and what is made of those; a veth in a
  /// lab.
  private static final Set<String> UPLINK_KINDS =
      Set.of("", "bond", "team", "vlan", "macvlan", "veth");

  private HostSettings() {}

  static Set<Integer> linksWithPrefix(Links links, String prefix) throws LinuxException {
    Set<Integer> found = new HashSet<>();
    for (Link link : links.list()) {
      if (link.name().value().startsWith(prefix)) {
        found.add(link.index());
      }
    }
    return Set.copyOf(found);
  }

  /// The kernel's devices by name.
  static LinkIndex linkIndex(Links links) {
    return new LinkIndex() {
      @Override
      public OptionalInt find(InterfaceName name) throws LinuxException {
        return links
            .find(name)
            .map(link -> OptionalInt.of(link.index()))
            .orElseGet(OptionalInt::empty);
      }

      @Override
      public boolean hasCarrier(InterfaceName name) throws LinuxException {
        return links.find(name).filter(Link::isRunning).isPresent();
      }
    };
  }

  /// The node's addresses on links other than the loopback and pods' own.
  static List<LinkAddress> linkAddresses(Rtnetlink netlink) throws LinuxException {
    Map<Integer, InterfaceName> names = new HashMap<>();
    for (Link link : netlink.links().list()) {
      if (!link.name().value().equals("lo")
          && !link.name().value().startsWith(NodeAgent.INTERFACE_PREFIX)) {
        names.put(link.index(), link.name());
      }
    }
    List<LinkAddress> addresses = new ArrayList<>();
    for (Address address : netlink.addresses().list(0)) {
      InterfaceName name = names.get(address.index());
      if (name != null) {
        addresses.add(
            new LinkAddress(
                name,
                address.address(),
                Prefix.containing(address.address(), address.prefixLength())));
      }
    }
    return addresses;
  }

  /// How the kernel reaches a next hop: as it is, if it is on a link; else over the routers that
  /// the best route to it names.
  static Optional<List<NextHop>> waysTo(Rtnetlink netlink, IpAddress gateway)
      throws LinuxException {
    Optional<Route> route = netlink.routes().lookup(gateway);
    if (route.isEmpty()) {
      return Optional.empty();
    }
    boolean isOnLink = route.get().nextHops().stream().allMatch(hop -> hop.gateway().isEmpty());
    return Optional.of(
        isOnLink
            ? List.of(NextHop.via(gateway))
            : route.get().nextHops().stream()
                .map(hop -> NextHop.via(hop.gateway().orElse(gateway), hop.index()))
                .toList());
  }

  /// The devices by which the best route to an address leads, and those by which it leads packets
  /// that are marked as some routing rule asks for now; none if there is no route, or if the
  /// address is no other machine's.
  static Ways interfacesTowards(Rtnetlink netlink) throws LinuxException {
    Map<IpFamily, Set<Integer>> marks = new EnumMap<>(IpFamily.class);
    for (IpFamily family : IpFamily.values()) {
      marks.put(family, netlink.routes().marks(family));
    }
    return address -> {
      Set<InterfaceName> names = new HashSet<>(devices(netlink, address, 0));
      if (!names.isEmpty()) {
        for (int mark : marks.getOrDefault(address.family(), Set.of())) {
          names.addAll(devices(netlink, address, mark));
        }
      }
      return names;
    };
  }

  private static Set<InterfaceName> devices(Rtnetlink netlink, IpAddress address, int mark)
      throws LinuxException {
    Optional<Route> route = netlink.routes().lookup(address, mark);
    if (route.isEmpty() || route.get().type() != RouteType.UNICAST) {
      return Set.of();
    }
    Set<InterfaceName> names = new HashSet<>();
    for (NextHop hop : route.get().nextHops()) {
      names.add(netlink.links().get(hop.index()).name());
    }
    return names;
  }

  /// The node's addresses on links other than the loopback and pods' own, by link.
  static Map<InterfaceName, Set<IpAddress>> addressesByLink(Rtnetlink netlink)
      throws LinuxException {
    Map<InterfaceName, Set<IpAddress>> addresses = new HashMap<>();
    for (LinkAddress link : linkAddresses(netlink)) {
      addresses.computeIfAbsent(link.link(), _ -> new HashSet<>()).add(link.address());
    }
    return addresses;
  }

  /// The same of links by which packets can come in, and link-local addresses of all links: that of
  /// a pod's wire may be an uplink's too.
  static Map<InterfaceName, Set<IpAddress>> addressesOfWaysIn(Rtnetlink netlink)
      throws LinuxException {
    List<Link> links = netlink.links().list();
    Map<InterfaceName, Set<IpAddress>> addresses = withoutDummies(addressesByLink(netlink), links);
    Map<Integer, InterfaceName> names = new HashMap<>();
    links.forEach(link -> names.put(link.index(), link.name()));
    for (Address address : netlink.addresses().list(0)) {
      InterfaceName name = names.get(address.index());
      if (name != null && address.address().isLinkLocal()) {
        addresses.computeIfAbsent(name, _ -> new HashSet<>()).add(address.address());
      }
    }
    return addresses;
  }

  /// Services' addresses may sit on dummies (kube-proxy's IPVS mode).
  static Map<InterfaceName, Set<IpAddress>> withoutDummies(
      Map<InterfaceName, Set<IpAddress>> addresses, List<Link> links) {
    Map<InterfaceName, Set<IpAddress>> left = new HashMap<>(addresses);
    for (Link link : links) {
      if (link.kind().equals("dummy")) {
        left.remove(link.name());
      }
    }
    return left;
  }

  /// Addresses that dummies have and no other link.
  static Set<IpAddress> addressesOfDummies(Rtnetlink netlink) throws LinuxException {
    Set<Integer> dummies = new HashSet<>();
    for (Link link : netlink.links().list()) {
      if (link.kind().equals("dummy")) {
        dummies.add(link.index());
      }
    }
    return addressesOfDummies(dummies, netlink.addresses().list(0));
  }

  /// @param dummies their numbers
  static Set<IpAddress> addressesOfDummies(Set<Integer> dummies, List<Address> addresses) {
    Set<IpAddress> found = new HashSet<>();
    addresses.stream()
        .filter(address -> dummies.contains(address.index()))
        .forEach(address -> found.add(address.address()));
    addresses.stream()
        .filter(address -> !dummies.contains(address.index()))
        .forEach(address -> found.remove(address.address()));
    return found;
  }

  /// Every address of the node, pods' gateways among them.
  static Set<IpAddress> addresses(Rtnetlink netlink) throws LinuxException {
    Set<IpAddress> addresses = new HashSet<>();
    for (Address address : netlink.addresses().list(0)) {
      addresses.add(address.address());
    }
    return addresses;
  }

  /// What the node's links carry, in octets; see [#linkMtu(List, List, Set)].
  static OptionalInt linkMtu(Rtnetlink netlink, Set<IpAddress> known) throws LinuxException {
    return linkMtu(netlink.links().list(), netlink.addresses().list(0), known);
  }

  /// What the node's links carry, in octets: the least MTU of those that hold an address of the
  /// node. If nobody said what addresses it has, or they sit on the loopback, whose own MTU says
  /// nothing, the least of the links that may lead to other nodes.
  ///
  /// @param known by which the node is known, of either family
  /// @return empty while no link has any of them, as between two leases
  static OptionalInt linkMtu(List<Link> links, List<Address> addresses, Set<IpAddress> known) {
    Set<Integer> holders = new HashSet<>();
    Set<Integer> addressed = new HashSet<>();
    for (Address address : addresses) {
      if (known.contains(address.address())) {
        holders.add(address.index());
      }
      if (!address.address().isLinkLocal()) {
        addressed.add(address.index());
      }
    }
    if (holders.isEmpty() && !known.isEmpty()) {
      return OptionalInt.empty();
    }
    OptionalInt held = leastMtu(links, link -> holders.contains(link.index()));
    if (held.isPresent()) {
      return held;
    }
    OptionalInt least =
        leastMtu(
            links,
            link ->
                link.isUp()
                    && UPLINK_KINDS.contains(link.kind())
                    && addressed.contains(link.index())
                    && !link.name().value().startsWith(NodeAgent.INTERFACE_PREFIX));
    return least.isPresent() ? least : OptionalInt.of(DEFAULT_MTU);
  }

  private static OptionalInt leastMtu(List<Link> links, Predicate<Link> counts) {
    return links.stream()
        .filter(link -> !link.name().value().equals("lo"))
        .filter(counts)
        .mapToInt(Link::mtu)
        .min();
  }
}
