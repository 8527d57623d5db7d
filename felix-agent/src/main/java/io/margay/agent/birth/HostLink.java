package io.margay.agent.birth;

import io.margay.linux.LinuxException;
import io.margay.linux.route.Address;
import io.margay.linux.route.Link;
import io.margay.linux.route.Rtnetlink;
import io.margay.model.net.InterfaceName;
import io.margay.model.resource.AddressOnLink;
import java.util.ArrayList;
import java.util.List;

/// A link of the node, with the addresses that can be used now.
///
/// @param addresses in the kernel's order
record HostLink(InterfaceName name, boolean isUp, List<AddressOnLink> addresses) {

  HostLink {
    addresses = List.copyOf(addresses);
  }

  /// All links of the calling thread's namespace, by their numbers.
  static List<HostLink> list(Rtnetlink netlink) throws LinuxException {
    List<Address> addresses = netlink.addresses().list(0);
    List<HostLink> links = new ArrayList<>();
    for (Link link : netlink.links().list()) {
      links.add(
          new HostLink(
              link.name(),
              link.isUp(),
              addresses.stream()
                  .filter(address -> address.index() == link.index() && !address.isTentative())
                  .map(address -> new AddressOnLink(address.address(), address.prefixLength()))
                  .toList()));
    }
    return links;
  }
}
