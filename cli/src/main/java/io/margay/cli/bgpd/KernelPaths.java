package io.margay.cli.bgpd;

import io.margay.bgp.speaker.FibNextHop;
import io.margay.linux.LinuxException;
import io.margay.linux.route.Link;
import io.margay.linux.route.NextHop;
import io.margay.linux.route.Route;
import io.margay.linux.route.RouteKernel;
import io.margay.linux.route.RouteType;
import io.margay.linux.route.Rtnetlink;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// How the kernel reaches next hops, remembered until [#forget]. Owned by `bgpd-fib`.
///
/// A next hop counts as reached over a connected network or over any route but a default one: that
/// one would "reach" the far end of a cut link too, and keep traffic on a way that leads nowhere.
/// An address of this host is no way to anywhere.
///
/// Routes of ours resolve next hops, too: those of internal peers are reached over what external
/// ones told. But one that leads over the next hop itself, at once or by way of other routes of
/// ours, is there because the next hop can be reached, and says nothing of whether it can: another
/// next hop of it or the next wider route counts then.
final class KernelPaths {

  /// Reading all routes, which is done for next hops that routes of ours cover and lead over, is
  /// followed by a pause as many times as long.
  private static final int READ_SHARE = 50;

  /// How many routes of ours a next hop may be reached by way of.
  private static final int MAX_RECURSION = 4;

  private static final Logger LOG = LoggerFactory.getLogger(KernelPaths.class);

  private final Rtnetlink rtnetlink;
  private final Function<Prefix, Optional<List<FibNextHop>>> ours;
  private final Map<IpAddress, Optional<Path>> paths = new HashMap<>();
  private final Map<IpAddress, Optional<Route>> routes = new HashMap<>();
  private final Map<InterfaceName, Optional<Link>> links = new HashMap<>();

  /// The way to a next hop.
  ///
  /// @param hops routers or devices on this host's links
  /// @param metric 0 on a connected network, else more than the route's own metric
  record Path(List<NextHop> hops, long metric) {}

  /// What others have put into the main table; absent: to be read when it is needed.
  private @Nullable Map<Prefix, Route> others;

  private long othersUntil;

  /// @param ours what a route of ours leads over, as its owner names it; empty if we want none
  KernelPaths(Rtnetlink rtnetlink, Function<Prefix, Optional<List<FibNextHop>>> ours) {
    this.rtnetlink = rtnetlink;
    this.ours = ours;
  }

  /// The next time somebody asks, the kernel is asked.
  void forget() {
    paths.clear();
    routes.clear();
    links.clear();
    if (System.nanoTime() - othersUntil >= 0) {
      others = null;
    }
  }

  /// Links have changed, and routes with them.
  void forgetAll() {
    others = null;
    forget();
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
    Optional<Path> known = paths.get(nextHop);
    if (known == null) {
      known = path(nextHop, new ArrayDeque<>());
      paths.put(nextHop, known);
    }
    return known;
  }

  /// @param before what is reached over the address, and so is no way to it
  private Optional<Path> path(IpAddress address, Deque<IpAddress> before) {
    Route route = lookup(address).orElse(null);
    if (route == null) {
      return Optional.empty();
    }
    if (route.protocol() != KernelFib.PROTOCOL || ours.apply(route.prefix()).isEmpty()) {
      return path(route, address);
    }
    for (int length = route.prefix().length(); length > 0; length--) {
      Prefix prefix = Prefix.containing(address, length);
      boolean isBest = length == route.prefix().length();
      Route other = isBest ? null : others().get(prefix);
      if (other == null || Integer.compareUnsigned(other.metric(), KernelFib.METRIC) >= 0) {
        List<FibNextHop> hops = ours.apply(prefix).orElse(List.of());
        List<NextHop> ways = hops.isEmpty() ? List.of() : ways(hops, address, before);
        if (!ways.isEmpty()) {
          return Optional.of(new Path(ways, 1L + KernelFib.METRIC));
        }
        other = others().get(prefix);
      }
      if (other != null) {
        return path(other, address);
      }
    }
    return Optional.empty();
  }

  /// Next hops of a route of ours that covers an address, but for those that lead over it.
  private List<NextHop> ways(List<FibNextHop> hops, IpAddress address, Deque<IpAddress> before) {
    if (before.size() == MAX_RECURSION) {
      return List.of();
    }
    before.push(address);
    Set<NextHop> ways = new LinkedHashSet<>();
    for (FibNextHop hop : hops) {
      InterfaceName via = hop.via();
      if (via != null) {
        link(via).ifPresent(link -> ways.add(NextHop.via(hop.address(), link.index())));
      } else if (!before.contains(hop.address())) {
        path(hop.address(), before).ifPresent(path -> ways.addAll(path.hops()));
      }
    }
    before.pop();
    return List.copyOf(ways);
  }

  private Optional<Route> lookup(IpAddress address) {
    return routes.computeIfAbsent(
        address,
        wanted -> {
          try {
            return rtnetlink.routes().lookup(wanted);
          } catch (LinuxException refused) {
            refused(wanted, refused);
            return Optional.empty();
          }
        });
  }

  private static Optional<Path> path(Route route, IpAddress nextHop) {
    if (route.prefix().length() == 0 || route.type() != RouteType.UNICAST) {
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

  /// The routes of others in the main table that count, each the one with the lowest metric.
  private Map<Prefix, Route> others() {
    Map<Prefix, Route> known = others;
    if (known != null) {
      return known;
    }
    long began = System.nanoTime();
    Map<Prefix, Route> read = new HashMap<>();
    try {
      for (Route route : rtnetlink.routes().dump(RouteKernel.ANYBODY)) {
        if (route.table() == Route.MAIN_TABLE && route.protocol() != KernelFib.PROTOCOL) {
          read.merge(
              route.prefix(),
              route,
              (one, another) ->
                  Integer.compareUnsigned(one.metric(), another.metric()) <= 0 ? one : another);
        }
      }
    } catch (LinuxException refused) {
      refused("all routes", refused);
    }
    long ended = System.nanoTime();
    othersUntil = ended + READ_SHARE * (ended - began);
    others = read;
    return read;
  }

  private static void refused(Object what, LinuxException refused) {
    LOG.atWarn()
        .addKeyValue("nextHop", what)
        .addKeyValue("reason", refused.getMessage())
        .log("a next hop can't be looked up; it counts as out of reach until the next look");
  }
}
