package io.margay.linux.testing;

import io.margay.linux.Errno;
import io.margay.linux.NetlinkException;
import io.margay.linux.route.NextHop;
import io.margay.linux.route.NextHopChange;
import io.margay.linux.route.NextHopFailure;
import io.margay.linux.route.NextHopKernel;
import io.margay.linux.route.NextHopObject;
import io.margay.linux.route.Route;
import io.margay.linux.route.RouteChange;
import io.margay.linux.route.RouteFailure;
import io.margay.linux.route.RouteKernel;
import io.margay.linux.route.RouteKey;
import io.margay.linux.route.RouteType;
import io.margay.linux.route.Scope;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/// Routes in memory that behave as the kernel's: keys are unique, a gateway must be reachable over
/// a connected prefix or `onlink`, a device that goes takes its routes along; and so do next-hop
/// objects.
public final class FakeRoutes implements RouteKernel, NextHopKernel {

  /// RTPROT_KERNEL.
  private static final int KERNEL_PROTOCOL = 2;

  private final Map<Integer, List<Prefix>> devices = new TreeMap<>();
  private final List<Route> routes = new ArrayList<>();
  private final Set<Integer> withoutCarrier = new HashSet<>();
  private final FakeNextHops objects = new FakeNextHops(this::obstacle);
  private int writes;

  /// Adds a device with addresses in these prefixes.
  public void addDevice(int index, Prefix... connected) {
    devices.put(index, List.of(connected));
  }

  /// Removes a device; routes over it vanish, ECMP sets lose that next hop.
  public void removeDevice(int index) {
    devices.remove(index);
    objectsGone(() -> objects.deviceGone(index));
    routes.replaceAll(route -> without(route, index).orElse(route));
    routes.removeIf(route -> route.nextHops().stream().anyMatch(hop -> hop.index() == index));
  }

  /// Takes a device's carrier: the objects over it vanish, while routes with their own next hops
  /// stay.
  public void loseCarrier(int index) {
    withoutCarrier.add(index);
    objectsGone(() -> objects.deviceGone(index));
  }

  public void gainCarrier(int index) {
    withoutCarrier.remove(index);
  }

  /// Every object, also strangers', by number.
  public List<NextHopObject> objects() {
    return objects.all();
  }

  /// Numbers of the objects that were added or replaced, in order.
  public List<Integer> objectWrites() {
    return List.copyOf(objects.written());
  }

  /// Removes an object behind the writer's back.
  public void tamperObject(int id) {
    objectsGone(() -> objects.delete(Set.of(id)));
  }

  private void objectsGone(Runnable removal) {
    removal.run();
    routes.removeIf(route -> route.objectId() != 0 && objects.ways(route.objectId()).isEmpty());
  }

  private Optional<Errno> obstacle(NextHop hop) {
    if (!devices.containsKey(hop.index())) {
      return Optional.of(Errno.EINVAL);
    }
    if (withoutCarrier.contains(hop.index())) {
      return Optional.of(Errno.ENETDOWN);
    }
    return deviceOf(hop).isPresent()
        ? Optional.empty()
        : Optional.of(
            hop.gateway().orElseThrow().family() == IpFamily.IPV4
                ? Errno.ENETUNREACH
                : Errno.EHOSTUNREACH);
  }

  private static Optional<Route> without(Route route, int index) {
    List<NextHop> left = route.nextHops().stream().filter(hop -> hop.index() != index).toList();
    return left.isEmpty() ? Optional.empty() : Optional.of(with(route, left));
  }

  /// Puts a route there as somebody else would, unchecked.
  public void plant(Route route) {
    routes.add(route);
  }

  /// Takes a route away behind the writer's back.
  ///
  /// @return whether it was there
  public boolean tamper(Prefix prefix) {
    return routes.removeIf(route -> route.prefix().equals(prefix));
  }

  /// Everything, also strangers' routes, in the order of installation.
  public List<Route> all() {
    return List.copyOf(routes);
  }

  /// Changes that took effect.
  public int writes() {
    return writes;
  }

  @Override
  public List<Route> dump(int protocol) {
    return routes.stream()
        .filter(route -> protocol == ANYBODY || route.protocol() == protocol)
        .map(this::shown)
        .toList();
  }

  private Route shown(Route route) {
    return route.objectId() == 0
        ? route
        : with(route, objects.ways(route.objectId())).over(route.objectId());
  }

  @Override
  public List<NextHopObject> dumpObjects(int protocol) {
    return objects.all().stream().filter(object -> object.protocol() == protocol).toList();
  }

  @Override
  public List<NextHopFailure> applyObjects(List<NextHopChange> changes) {
    List<NextHopFailure> failures = new ArrayList<>();
    objectsGone(() -> failures.addAll(objects.apply(changes)));
    return failures;
  }

  /// The longest prefix wins, then the smaller metric; connected networks have routes too.
  @Override
  public Optional<Route> lookup(IpAddress destination) {
    List<Route> all = new ArrayList<>(connected());
    routes.forEach(route -> all.add(shown(route)));
    return all.stream()
        .filter(route -> route.prefix().contains(destination))
        .min(
            Comparator.comparingInt((Route route) -> -route.prefix().length())
                .thenComparingInt(Route::metric))
        .filter(route -> !route.nextHops().isEmpty())
        .filter(
            route ->
                route.nextHops().size() > 1
                    || !withoutCarrier.contains(route.nextHops().getFirst().index()));
  }

  private List<Route> connected() {
    List<Route> connected = new ArrayList<>();
    devices.forEach(
        (index, prefixes) ->
            prefixes.forEach(
                prefix ->
                    connected.add(
                        new Route(
                            prefix,
                            Route.MAIN_TABLE,
                            KERNEL_PROTOCOL,
                            RouteType.UNICAST,
                            Scope.LINK,
                            0,
                            List.of(NextHop.onDevice(index)),
                            Optional.empty()))));
    return connected;
  }

  @Override
  public List<RouteFailure> apply(List<RouteChange> changes) {
    List<RouteFailure> failures = new ArrayList<>();
    for (RouteChange change : changes) {
      Optional<Refusal> refusal =
          switch (change) {
            case RouteChange.Add(Route route) -> add(route);
            case RouteChange.Replace(Route route) -> replace(route);
            case RouteChange.Put(Route route) ->
                find(route.key()) < 0 ? add(route) : replace(route);
            case RouteChange.Delete(Route route) -> delete(route);
          };
      if (refusal.isPresent()) {
        failures.add(new RouteFailure(change, refusal.get().toException(change)));
      } else {
        writes++;
      }
    }
    return failures;
  }

  private Optional<Refusal> add(Route route) {
    Resolution resolution = resolve(route);
    if (resolution.refusal().isEmpty()) {
      if (find(route.key()) >= 0) {
        return Optional.of(new Refusal(Errno.EEXIST, ""));
      }
      routes.add(resolution.route());
    }
    return resolution.refusal();
  }

  private Optional<Refusal> replace(Route route) {
    Resolution resolution = resolve(route);
    if (resolution.refusal().isEmpty()) {
      int at = find(route.key());
      if (at < 0) {
        return Optional.of(new Refusal(Errno.ENOENT, ""));
      }
      routes.set(at, resolution.route());
    }
    return resolution.refusal();
  }

  private Optional<Refusal> delete(Route route) {
    for (int i = 0; i < routes.size(); i++) {
      Route found = routes.get(i);
      if (found.key().equals(route.key()) && found.protocol() == route.protocol()) {
        routes.remove(i);
        break;
      }
    }
    return Optional.empty();
  }

  private int find(RouteKey key) {
    for (int i = 0; i < routes.size(); i++) {
      if (routes.get(i).key().equals(key)) {
        return i;
      }
    }
    return -1;
  }

  /// Fills in the devices of gateways, as the kernel does, or says why it cannot.
  private Resolution resolve(Route route) {
    if (route.objectId() != 0) {
      boolean isKnown = !objects.ways(route.objectId()).isEmpty();
      return new Resolution(
          route,
          isKnown
              ? Optional.empty()
              : Optional.of(new Refusal(Errno.EINVAL, "Nexthop id does not exist")));
    }
    List<NextHop> hops = new ArrayList<>();
    for (NextHop hop : route.nextHops()) {
      if (hop.index() != 0 && !devices.containsKey(hop.index())) {
        return new Resolution(route, Optional.of(new Refusal(Errno.ENODEV, "")));
      }
      Optional<Integer> device = deviceOf(hop);
      if (device.isEmpty()) {
        Errno errno = route.family() == IpFamily.IPV4 ? Errno.ENETUNREACH : Errno.EHOSTUNREACH;
        return new Resolution(
            route, Optional.of(new Refusal(errno, "Nexthop has invalid gateway")));
      }
      hops.add(new NextHop(hop.gateway(), device.get(), hop.weight(), hop.isOnlink()));
    }
    return new Resolution(hops.isEmpty() ? route : with(route, hops), Optional.empty());
  }

  private Optional<Integer> deviceOf(NextHop hop) {
    if (hop.gateway().isEmpty() || hop.isOnlink()) {
      return Optional.of(hop.index());
    }
    IpAddress gateway = hop.gateway().get();
    for (Map.Entry<Integer, List<Prefix>> device : devices.entrySet()) {
      boolean isAsked = hop.index() == 0 || hop.index() == device.getKey();
      if (isAsked && device.getValue().stream().anyMatch(prefix -> prefix.contains(gateway))) {
        return Optional.of(device.getKey());
      }
    }
    return Optional.empty();
  }

  private static Route with(Route route, List<NextHop> hops) {
    return new Route(
        route.prefix(),
        route.table(),
        route.protocol(),
        route.type(),
        route.scope(),
        route.metric(),
        hops,
        route.preferredSource());
  }

  private record Resolution(Route route, Optional<Refusal> refusal) {}

  private record Refusal(Errno errno, String extAck) {
    NetlinkException toException(RouteChange change) {
      return new NetlinkException(
          change.getClass().getSimpleName() + " route", change.route().toString(), errno, extAck);
    }
  }
}
