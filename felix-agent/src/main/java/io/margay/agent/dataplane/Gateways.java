package io.margay.agent.dataplane;

import io.margay.bgp.speaker.FibNextHop;
import io.margay.linux.LinuxException;
import io.margay.linux.route.NextHop;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The next hops of learned routes, as the kernel takes them. A next hop may be several routers
/// away (RFC 4271 §5.1.3, case 3): a node of the mesh in another subnet. The kernel takes only what
/// is on a link, so that the way to it is looked up, and looked up again, since it may change.
///
/// Owned by the dataplane loop.
final class Gateways {

  private static final Logger LOG = LoggerFactory.getLogger(Gateways.class);

  private final LinkIndex links;
  private GatewayPaths paths = GatewayPaths.ON_LINK;

  /// What was found of each gateway since it was last looked again.
  private final Map<IpAddress, List<NextHop>> found = new HashMap<>();

  /// Routes some gateway of which is not on a link.
  private final Map<Prefix, List<FibNextHop>> distant = new HashMap<>();

  Gateways(LinkIndex links) {
    this.links = links;
  }

  void follow(GatewayPaths kernel) {
    paths = kernel;
    found.clear();
  }

  /// What a route of these next hops consists of; empty: it can't be had.
  List<NextHop> resolve(Prefix prefix, List<FibNextHop> hops) {
    List<NextHop> resolved = new ArrayList<>();
    boolean isDistant = false;
    for (FibNextHop hop : hops) {
      List<NextHop> ways = hop.via() == null ? ways(hop.address()) : onLink(hop, hop.via());
      isDistant |= hop.via() == null && !isOnLink(hop.address(), ways);
      for (NextHop way : ways) {
        if (!resolved.contains(way)) {
          resolved.add(way);
        }
      }
    }
    if (isDistant) {
      distant.put(prefix, hops);
    } else {
      distant.remove(prefix);
    }
    return resolved;
  }

  void forget(Prefix prefix) {
    distant.remove(prefix);
  }

  /// Looks at the gateways anew.
  ///
  /// @return routes that have to be resolved again, with their next hops
  Map<Prefix, List<FibNextHop>> lookAgain() {
    Map<IpAddress, List<NextHop>> before = Map.copyOf(found);
    found.clear();
    Set<IpAddress> moved = new HashSet<>();
    Map<Prefix, List<FibNextHop>> again = new HashMap<>();
    distant.forEach(
        (prefix, hops) -> {
          for (FibNextHop hop : hops) {
            if (hop.via() == null && !ways(hop.address()).equals(before.get(hop.address()))) {
              moved.add(hop.address());
            }
          }
          if (hops.stream().anyMatch(hop -> moved.contains(hop.address()))) {
            again.put(prefix, hops);
          }
        });
    return again;
  }

  private List<NextHop> ways(IpAddress gateway) {
    return found.computeIfAbsent(gateway, this::ask);
  }

  private List<NextHop> ask(IpAddress gateway) {
    try {
      return paths.to(gateway).orElse(List.of());
    } catch (LinuxException refused) {
      LOG.atWarn()
          .addKeyValue("nextHop", gateway)
          .addKeyValue("reason", refused.getMessage())
          .log("the way to a next hop can't be looked up; routes over it are left out till it can");
      return List.of();
    }
  }

  private static boolean isOnLink(IpAddress gateway, List<NextHop> ways) {
    return ways.equals(List.of(NextHop.via(gateway)));
  }

  private List<NextHop> onLink(FibNextHop hop, InterfaceName via) {
    try {
      return links.find(via).stream().mapToObj(index -> NextHop.via(hop.address(), index)).toList();
    } catch (LinuxException refused) {
      LOG.atWarn()
          .addKeyValue("nextHop", hop)
          .addKeyValue("reason", refused.getMessage())
          .log("a next hop's interface can't be looked up; it is left out");
      return List.of();
    }
  }
}
