package io.margay.agent.dataplane;

import io.margay.agent.firewall.FirewallManager;
import io.margay.linux.LinuxException;
import io.margay.linux.nft.NftException;
import io.margay.linux.route.RouteTable;
import io.margay.model.net.IpAddress;
import java.util.ArrayList;
import java.util.List;

/// Asks the kernel, and not what we believe of it, whether it is as the dataplane wrote it. Repairs
/// nothing. Belongs to the dataplane loop.
final class Inspector {

  private final FirewallManager firewall;
  private final RouteTable routes;

  Inspector(FirewallManager firewall, RouteTable routes) {
    this.firewall = firewall;
    this.routes = routes;
  }

  /// A sentence for each of a pod's addresses that packets do not reach it by.
  List<String> routeFaults(List<IpAddress> addresses) {
    List<String> faults = new ArrayList<>();
    for (IpAddress address : addresses) {
      try {
        routes.fault(address).ifPresent(faults::add);
      } catch (LinuxException refused) {
        faults.add("the route to " + address + " can't be looked up: " + refused.getMessage());
      }
    }
    return faults;
  }

  /// Whether all rules are there; those of other endpoints decide too who reaches this one.
  List<String> ruleFaults() {
    try {
      return firewall.isEnforced()
          ? List.of()
          : List.of("the node's nft tables are not as its agent wrote them; it is repairing them");
    } catch (NftException refused) {
      return List.of("the node's nft tables can't be read: " + refused.getMessage());
    }
  }
}
