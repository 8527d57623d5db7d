package io.margay.linux.route;

import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.util.List;
import java.util.Optional;

/// What is wanted for a prefix, without the parts that are the same for every route of ours.
///
/// @param type UNICAST or BLACKHOLE
/// @param nextHops of a UNICAST route, at least one
/// @param preferredSource the source address of packets from this host itself
public record RouteSpec(
    RouteType type, List<NextHop> nextHops, Optional<IpAddress> preferredSource) {

  public RouteSpec {
    nextHops = List.copyOf(nextHops);
    if (type != RouteType.UNICAST && type != RouteType.BLACKHOLE) {
      throw new IllegalArgumentException("a route of ours is UNICAST or BLACKHOLE, not " + type);
    }
    if (nextHops.isEmpty() != (type == RouteType.BLACKHOLE)) {
      throw new IllegalArgumentException(type + " route with " + nextHops.size() + " next hops");
    }
  }

  /// Drops what no longer (more specific) prefix covers.
  public static RouteSpec blackhole() {
    return new RouteSpec(RouteType.BLACKHOLE, List.of(), Optional.empty());
  }

  /// To a pod behind a device.
  public static RouteSpec toDevice(int index) {
    return new RouteSpec(RouteType.UNICAST, List.of(NextHop.onDevice(index)), Optional.empty());
  }

  /// Through one or more (ECMP) routers.
  public static RouteSpec through(List<NextHop> nextHops) {
    return new RouteSpec(RouteType.UNICAST, nextHops, Optional.empty());
  }

  /// Through a device to a gateway that none of its addresses covers.
  ///
  /// @param index the device
  public static RouteSpec onlink(IpAddress gateway, int index) {
    return through(List.of(new NextHop(Optional.of(gateway), index, 1, true)));
  }

  /// The route of ours in the main table.
  public Route toRoute(Prefix prefix) {
    boolean isDirect =
        type == RouteType.UNICAST && nextHops.stream().allMatch(hop -> hop.gateway().isEmpty());
    Scope scope = isDirect && prefix.family() == IpFamily.IPV4 ? Scope.LINK : Scope.UNIVERSE;
    return new Route(
        prefix, Route.MAIN_TABLE, Route.OUR_PROTOCOL, type, scope, 0, nextHops, preferredSource);
  }
}
