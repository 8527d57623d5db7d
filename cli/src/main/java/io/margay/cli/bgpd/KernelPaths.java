package io.margay.cli.bgpd;

import io.margay.bgp.speaker.FibNextHop;
import io.margay.linux.LinuxException;
import io.margay.linux.route.Link;
import io.margay.linux.route.NextHop;
import io.margay.linux.route.Route;
import io.margay.linux.route.RouteType;
import io.margay.linux.route.Rtnetlink;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// How the kernel reaches next hops, remembered until [#forget]. Owned by `bgpd-fib`.
///
/// A next hop counts as reached over a connected network or over any route but a default one: that
/// one would "reach" the far end of a cut link too, and keep traffic on a way that leads nowhere.
/// An address of this host is no way to anywhere.
final class KernelPaths {

  private static final Logger LOG = LoggerFactory.getLogger(KernelPaths.class);

  private final Rtnetlink rtnetlink;
  private final Map<IpAddress, Optional<Path>> paths = new HashMap<>();
  private final Map<InterfaceName, Optional<Link>> links = new HashMap<>();

  /// The way to a next hop.
  ///
  /// @param hops routers or devices on this host's links
  /// @param metric 0 on a connected network, else more than the route's own metric
  record Path(List<NextHop> hops, long metric) {}

  KernelPaths(Rtnetlink rtnetlink) {
    this.rtnetlink = rtnetlink;
  }

  /// The next time somebody asks, the kernel is asked.
  void forget() {
    paths.clear();
    links.clear();
  }

  /// Indexes of the devices that known paths lead over.
  Set<Integer> devices() {
    Set<Integer> devices = new HashSet<>();
    paths
        .values()
        .forEach(
            found -> found.ifPresent(path -> path.hops().forEach(hop -> devices.add(hop.index()))));
    links.values().forEach(found -> found.ifPresent(link -> devices.add(link.index())));
    return devices;
  }

  /// Next hops as routes name them; those that can't be reached are left out.
  List<NextHop> resolve(List<FibNextHop> wanted) {
    List<NextHop> hops = new ArrayList<>();
    for (FibNextHop hop : wanted) {
      InterfaceName via = hop.via();
      List<NextHop> resolved =
          via == null
              ? path(hop.address()).map(Path::hops).orElse(List.of())
              : link(via).map(link -> NextHop.via(hop.address(), link.index())).stream().toList();
      for (NextHop one : resolved) {
        if (!hops.contains(one)) {
          hops.add(one);
        }
      }
    }
    return hops;
  }

  private Optional<Link> link(InterfaceName name) {
    return links.computeIfAbsent(
        name,
        wanted -> {
          try {
            return rtnetlink.links().find(wanted).filter(Link::isUp);
          } catch (LinuxException refused) {
            refused(wanted, refused);
            return Optional.empty();
          }
        });
  }

  /// The way to an address, if there is one.
  Optional<Path> path(IpAddress nextHop) {
    return paths.computeIfAbsent(nextHop, this::ask);
  }

  private Optional<Path> ask(IpAddress nextHop) {
    Optional<Route> found;
    try {
      found = rtnetlink.routes().lookup(nextHop);
    } catch (LinuxException refused) {
      refused(nextHop, refused);
      return Optional.empty();
    }
    Route route = found.orElse(null);
    if (route == null || route.prefix().length() == 0 || route.type() != RouteType.UNICAST) {
      return Optional.empty();
    }
    boolean isConnected = route.nextHops().stream().allMatch(hop -> hop.gateway().isEmpty());
    List<NextHop> hops =
        route.nextHops().stream()
            .map(hop -> NextHop.via(hop.gateway().orElse(nextHop), hop.index()))
            .toList();
    return Optional.of(
        new Path(hops, isConnected ? 0 : 1 + Integer.toUnsignedLong(route.metric())));
  }

  private static void refused(Object what, LinuxException refused) {
    LOG.atWarn()
        .addKeyValue("nextHop", what)
        .addKeyValue("reason", refused.getMessage())
        .log("a next hop can't be looked up; it counts as out of reach until the next look");
  }
}
