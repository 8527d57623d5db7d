package io.margay.linux.route;

import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// A route of the kernel, in the form a dump would show it: what the kernel fills in or drops is
/// filled in or dropped here too, so that desired and dumped routes compare.
///
/// @param prefix the destination
/// @param table routing table; [#MAIN_TABLE] for all of ours
/// @param protocol who installed it; [#OUR_PROTOCOL] is ours
/// @param type what happens to the packet
/// @param scope IPv4 only; IPv6 has none and shows UNIVERSE
/// @param metric the smaller wins; IPv6 turns 0 into 1024 (IP6_RT_PRIO_USER)
/// @param nextHops for UNICAST, in ascending order, more than one is ECMP; others have none
/// @param preferredSource the source address of packets from this host itself
/// @param objectId the [NextHopObject] that it refers to and whose ways `nextHops` are; 0: none
public record Route(
    Prefix prefix,
    int table,
    int protocol,
    RouteType type,
    Scope scope,
    int metric,
    List<NextHop> nextHops,
    Optional<IpAddress> preferredSource,
    int objectId) {

  /// `margay` in rt_protos.d.
  public static final int OUR_PROTOCOL = 117;

  /// RT_TABLE_MAIN.
  public static final int MAIN_TABLE = 254;

  private static final int IPV6_DEFAULT_METRIC = 1024;

  public Route {
    if (protocol < 0 || protocol > 255) {
      throw new IllegalArgumentException("route protocol " + protocol + " is not in 0..255");
    }
    if (prefix.family() == IpFamily.IPV6) {
      scope = Scope.UNIVERSE;
      metric = metric == 0 ? IPV6_DEFAULT_METRIC : metric;
    }
    nextHops =
        switch (type) {
          case BLACKHOLE, UNREACHABLE, PROHIBIT, THROW -> List.of();
          case UNSPECIFIED, UNICAST, LOCAL, BROADCAST, ANYCAST, MULTICAST, NAT, EXTERNAL_RESOLVE ->
              canonical(nextHops);
        };
    if (type == RouteType.UNICAST && nextHops.isEmpty()) {
      throw new IllegalArgumentException("route " + prefix + " has no next hop");
    }
  }

  /// One that has its next hops itself.
  public Route(
      Prefix prefix,
      int table,
      int protocol,
      RouteType type,
      Scope scope,
      int metric,
      List<NextHop> nextHops,
      Optional<IpAddress> preferredSource) {
    this(prefix, table, protocol, type, scope, metric, nextHops, preferredSource, 0);
  }

  /// The same route over an object.
  ///
  /// @param id 0: over its own next hops
  public Route over(int id) {
    return id == objectId
        ? this
        : new Route(prefix, table, protocol, type, scope, metric, nextHops, preferredSource, id);
  }

  private static List<NextHop> canonical(List<NextHop> hops) {
    if (hops.size() == 1) {
      NextHop only = hops.getFirst(); // a weight means nothing without others
      return List.of(new NextHop(only.gateway(), only.index(), 1, only.isOnlink()));
    }
    return hops.stream().sorted().toList();
  }

  public IpFamily family() {
    return prefix.family();
  }

  /// Under what the kernel files it: only one route of ours may live under a key.
  public RouteKey key() {
    return new RouteKey(prefix, table, metric);
  }

  /// Whether the kernel's `actual` route is what this one asks for.
  boolean isMetBy(Route actual) {
    if (!key().equals(actual.key())
        || protocol != actual.protocol
        || type != actual.type
        || !scope.equals(actual.scope)
        || nextHops.size() != actual.nextHops.size()
        || !preferredSource.equals(actual.preferredSource)) {
      return false;
    }
    for (int i = 0; i < nextHops.size(); i++) {
      if (!nextHops.get(i).isMetBy(actual.nextHops.get(i))) {
        return false;
      }
    }
    return true;
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder(64);
    if (type != RouteType.UNICAST) {
      text.append(type.name().toLowerCase(Locale.ROOT)).append(' ');
    }
    text.append(prefix);
    nextHops.forEach(hop -> text.append(' ').append(hop));
    preferredSource.ifPresent(source -> text.append(" src ").append(source));
    if (objectId != 0) {
      text.append(" nhid ").append(NextHopObject.text(objectId));
    }
    if (table != MAIN_TABLE) {
      text.append(" table ").append(table);
    }
    return text.append(" proto ").append(protocol).append(" metric ").append(metric).toString();
  }
}
