package io.margay.agent;

import io.margay.agent.bgp.LinkAddress;
import io.margay.linux.LinuxException;
import io.margay.linux.netns.Netns;
import io.margay.linux.netns.Sysctl;
import io.margay.linux.route.Address;
import io.margay.linux.route.Link;
import io.margay.linux.route.Links;
import io.margay.linux.route.Rtnetlink;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Ipv4Address;
import io.margay.model.net.Prefix;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/// What the agent needs of the host's network: settings it makes, facts it reads.
final class HostSettings {

  /// Ethernet's payload, where no link says otherwise.
  private static final int DEFAULT_MTU = 1500;

  private HostSettings() {}

  /// Makes the node a router, and spreads flows (not packets) over equal-cost paths by ports as
  /// well.
  static void apply() throws LinuxException {
    Map<Sysctl, String> wanted = new LinkedHashMap<>();
    wanted.put(Sysctl.of("ipv4/ip_forward"), "1");
    wanted.put(Sysctl.of("ipv6/conf/all/forwarding"), "1");
    wanted.put(Sysctl.of("ipv4/fib_multipath_hash_policy"), "1");
    wanted.put(Sysctl.of("ipv6/fib_multipath_hash_policy"), "1");
    try (Netns own = Netns.ofThread()) {
      Netns.writeSysctls(own.fd(), wanted);
    }
  }

  static Set<Integer> linksWithPrefix(Links links, String prefix) throws LinuxException {
    Set<Integer> found = new HashSet<>();
    for (Link link : links.list()) {
      if (link.name().value().startsWith(prefix)) {
        found.add(link.index());
      }
    }
    return Set.copyOf(found);
  }

  /// The number of the device of this name; empty when there is none.
  static OptionalInt linkIndex(Links links, InterfaceName name) throws LinuxException {
    return links.find(name).map(link -> OptionalInt.of(link.index())).orElseGet(OptionalInt::empty);
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

  /// Every address of the node, pods' gateways among them.
  static Set<IpAddress> addresses(Rtnetlink netlink) throws LinuxException {
    Set<IpAddress> addresses = new HashSet<>();
    for (Address address : netlink.addresses().list(0)) {
      addresses.add(address.address());
    }
    return addresses;
  }

  /// The MTU of the link that holds the node's address: nothing is wrapped, so pods can use all of
  /// it.
  static int podMtu(Rtnetlink netlink, Optional<Ipv4Address> nodeAddress) throws LinuxException {
    for (Address address : netlink.addresses().list(0)) {
      if (nodeAddress.isPresent() && address.address().equals(nodeAddress.get())) {
        Link link = netlink.links().get(address.index());
        // A stable address sits on the loopback, whose own MTU says nothing.
        return link.name().value().equals("lo") ? DEFAULT_MTU : link.mtu();
      }
    }
    return DEFAULT_MTU;
  }
}
