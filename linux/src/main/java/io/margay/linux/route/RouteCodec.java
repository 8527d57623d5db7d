package io.margay.linux.route;

import static io.margay.linux.netlink.NetlinkMessage.CREATE;
import static io.margay.linux.netlink.NetlinkMessage.EXCL;
import static io.margay.linux.netlink.NetlinkMessage.REPLACE;

import io.margay.linux.Errno;
import io.margay.linux.LinuxException;
import io.margay.linux.NetlinkException;
import io.margay.linux.netlink.Attribute;
import io.margay.linux.netlink.Attributes;
import io.margay.linux.netlink.MessageBuilder;
import io.margay.linux.netlink.NetlinkMessage;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// Routes as RTM_NEWROUTE and RTM_DELROUTE messages: `struct rtmsg`, then attributes.
final class RouteCodec {

  private static final int RTA_VIA = 18;

  private RouteCodec() {}

  static NetlinkMessage encode(RouteChange change) {
    return switch (change) {
      case RouteChange.Add(Route route) -> written(route, CREATE | EXCL, "add route");
      case RouteChange.Replace(Route route) -> written(route, REPLACE, "replace route");
      case RouteChange.Put(Route route) -> written(route, CREATE | REPLACE, "put route");
      case RouteChange.Delete(Route route) -> deleted(route);
    };
  }

  private static NetlinkMessage written(Route route, int flags, String operation) {
    MessageBuilder message = new MessageBuilder(Rtnl.NEWROUTE, flags, operation, route);
    NextHop only =
        route.nextHops().size() == 1 && route.objectId() == 0 ? route.nextHops().getFirst() : null;
    header(
        message,
        route,
        route.scope(),
        route.type(),
        only != null && only.isOnlink() ? Rtnl.RTNH_F_ONLINK : 0);
    key(message, route);
    route.preferredSource().ifPresent(source -> message.attr(Rtnl.RTA_PREFSRC, source.toBytes()));
    if (route.objectId() != 0) {
      message.attrU32(Rtnl.RTA_NH_ID, route.objectId());
    } else if (only != null) {
      gateway(message, route.family(), only);
      if (only.index() != 0) {
        message.attrU32(Rtnl.RTA_OIF, only.index());
      }
    } else if (!route.nextHops().isEmpty()) {
      message.container(
          Rtnl.RTA_MULTIPATH,
          paths -> route.nextHops().forEach(hop -> path(paths, route.family(), hop)));
    }
    return message.build();
  }

  /// `struct rtnexthop`: length, flags, hops (weight less one), index; then its attributes.
  private static void path(MessageBuilder paths, IpFamily family, NextHop hop) {
    paths.sized(
        path -> {
          path.u8(hop.isOnlink() ? Rtnl.RTNH_F_ONLINK : 0).u8(hop.weight() - 1).u32(hop.index());
          gateway(path, family, hop);
        });
  }

  private static void gateway(MessageBuilder message, IpFamily family, NextHop hop) {
    if (hop.gateway().isEmpty()) {
      return;
    }
    IpAddress gateway = hop.gateway().get();
    byte[] octets = gateway.toBytes();
    if (gateway.family() == family) {
      message.attr(Rtnl.RTA_GATEWAY, octets);
    } else { // struct rtvia: family, address (RFC 5549 next hops)
      message.pad().u16(6 + octets.length).u16(RTA_VIA);
      message.u16(Rtnl.familyCode(gateway.family())).octets(octets).pad();
    }
  }

  /// Names no next hop, so that an IPv6 ECMP set goes as a whole.
  private static NetlinkMessage deleted(Route route) {
    MessageBuilder message = new MessageBuilder(Rtnl.DELROUTE, 0, "delete route", route);
    header(message, route, Scope.NOWHERE, RouteType.UNSPECIFIED, 0);
    key(message, route);
    return message.build();
  }

  private static void header(
      MessageBuilder message, Route route, Scope scope, RouteType type, int flags) {
    message
        .u8(Rtnl.familyCode(route.family()))
        .u8(route.prefix().length())
        .u8(0)
        .u8(0)
        .u8(route.table() > 255 ? 0 : route.table())
        .u8(route.protocol())
        .u8(scope.value())
        .u8(type.code())
        .u32(flags);
  }

  private static void key(MessageBuilder message, Route route) {
    message
        .attr(Rtnl.RTA_DST, route.prefix().address().toBytes())
        .attrU32(Rtnl.RTA_TABLE, route.table());
    if (route.metric() != 0) {
      message.attrU32(Rtnl.RTA_PRIORITY, route.metric());
    }
  }

  /// A dump question; with NETLINK_GET_STRICT_CHK the kernel filters by protocol and table itself.
  ///
  /// @param protocol 0 for any
  /// @param table 0 for any
  static NetlinkMessage question(IpFamily family, int protocol, int table) {
    MessageBuilder message =
        new MessageBuilder(Rtnl.GETROUTE, 0, "list", "IPv" + family.version() + " routes")
            .u8(Rtnl.familyCode(family))
            .u8(0)
            .u8(0)
            .u8(0)
            .u8(table > 255 ? 0 : table)
            .u8(protocol)
            .u8(0)
            .u8(0)
            .u32(0);
    if (table != 0) {
      message.attrU32(Rtnl.RTA_TABLE, table);
    }
    return message.build();
  }

  /// A question for the route that packets to an address take.
  ///
  /// @param mark what the packets are marked with; 0 = nothing
  static NetlinkMessage lookup(IpAddress destination, int mark) {
    return question(destination, mark, Rtnl.RTM_F_FIB_MATCH);
  }

  /// The same, answered with what a packet would get rather than with the table's entry: the source
  /// address is chosen.
  static NetlinkMessage sourceLookup(IpAddress destination) {
    return question(destination, 0, 0);
  }

  /// Of the answer to [#sourceLookup].
  static Optional<IpAddress> source(NetlinkMessage answer) throws NetlinkException {
    return address(answer.attributes(Rtnl.RTMSG_OCTETS), Rtnl.RTA_PREFSRC);
  }

  private static NetlinkMessage question(IpAddress destination, int mark, int flags) {
    IpFamily family = destination.family();
    MessageBuilder message =
        new MessageBuilder(Rtnl.GETROUTE, 0, "look up route", destination)
            .u8(Rtnl.familyCode(family))
            .u8(family.bits())
            .u8(0)
            .u8(0)
            .u8(0)
            .u8(0)
            .u8(0)
            .u8(0)
            .u32(flags)
            .attr(Rtnl.RTA_DST, destination.toBytes());
    if (mark != 0) {
      message.attrU32(Rtnl.RTA_MARK, mark);
    }
    return message.build();
  }

  /// A question for a family's routing rules.
  static NetlinkMessage ruleQuestion(IpFamily family) {
    return new MessageBuilder(Rtnl.GETRULE, 0, "list", "IPv" + family.version() + " routing rules")
        .u8(Rtnl.familyCode(family))
        .u8(0)
        .u8(0)
        .u8(0)
        .u8(0)
        .u8(0)
        .u8(0)
        .u8(0)
        .u32(0)
        .build();
  }

  /// The mark that a routing rule asks for; 0 = none.
  static int mark(NetlinkMessage rule) throws NetlinkException {
    return rule.attributes(Rtnl.FIB_RULE_OCTETS).u32(Rtnl.FRA_FWMARK, 0);
  }

  /// Whether the only next hop of a route is dead or without carrier; never so for several.
  static boolean isDown(NetlinkMessage message) throws NetlinkException {
    return (message.u32(8) & (Rtnl.RTNH_F_DEAD | Rtnl.RTNH_F_LINKDOWN)) != 0;
  }

  /// The destination of what a notification says was written to the main table or removed from it.
  ///
  /// @return empty for what is no route of it: cached copies, other tables, other families
  static Optional<Prefix> decodeNotice(NetlinkMessage message) throws NetlinkException {
    if ((message.type() != Rtnl.NEWROUTE && message.type() != Rtnl.DELROUTE) || !isRoute(message)) {
      return Optional.empty();
    }
    Attributes attributes = message.attributes(Rtnl.RTMSG_OCTETS);
    if (attributes.u32(Rtnl.RTA_TABLE, message.u8(4)) != Route.MAIN_TABLE) {
      return Optional.empty();
    }
    try {
      return Optional.of(prefix(attributes, family(message), message.u8(1)));
    } catch (IllegalArgumentException e) {
      throw malformed(e);
    }
  }

  /// What the kernel knows of an object that a route names without its ways.
  interface Objects {

    /// Where nobody can be asked.
    Objects UNKNOWN = _ -> List.of();

    /// @return empty when there is no such object any more
    List<NextHop> ways(int id) throws LinuxException;
  }

  /// @return empty for what is no route of the table: cached copies, other families
  static Optional<Route> decode(NetlinkMessage message) throws LinuxException {
    return decode(message, Objects.UNKNOWN);
  }

  /// @param objects asked for the next hops of routes that have but the number of an object, as all
  ///   have where net.ipv4.nexthop_compat_mode is 0
  /// @return empty for what is no route of the table, and for a route that went with its object
  static Optional<Route> decode(NetlinkMessage message, Objects objects) throws LinuxException {
    if (message.type() != Rtnl.NEWROUTE || !isRoute(message)) {
      return Optional.empty();
    }
    Attributes attributes = message.attributes(Rtnl.RTMSG_OCTETS);
    int object = attributes.u32(Rtnl.RTA_NH_ID, 0);
    try {
      RouteType type = RouteType.ofCode(message.u8(7));
      List<NextHop> hops = nextHops(message, attributes);
      if (object != 0 && hops.isEmpty() && type == RouteType.UNICAST) {
        hops = objects.ways(object);
        if (hops.isEmpty()) {
          return Optional.empty();
        }
      }
      return Optional.of(
          new Route(
              prefix(attributes, family(message), message.u8(1)),
              attributes.u32(Rtnl.RTA_TABLE, message.u8(4)),
              message.u8(5),
              type,
              new Scope(message.u8(6)),
              attributes.u32(Rtnl.RTA_PRIORITY, 0),
              hops,
              address(attributes, Rtnl.RTA_PREFSRC),
              object));
    } catch (IllegalArgumentException e) {
      throw malformed(e);
    }
  }

  private static boolean isRoute(NetlinkMessage message) throws NetlinkException {
    int family = message.u8(0);
    return (family == 2 || family == 10) && (message.u32(8) & Rtnl.RTM_F_CLONED) == 0;
  }

  private static IpFamily family(NetlinkMessage message) throws NetlinkException {
    return message.u8(0) == 2 ? IpFamily.IPV4 : IpFamily.IPV6;
  }

  private static NetlinkException malformed(IllegalArgumentException e) {
    return new NetlinkException(
        "read route", "of a dump", Errno.EBADMSG, String.valueOf(e.getMessage()));
  }

  private static Prefix prefix(Attributes attributes, IpFamily family, int length) {
    byte[] octets =
        attributes.find(Rtnl.RTA_DST).map(Attribute::bytes).orElse(new byte[family.octets()]);
    return new Prefix(IpAddress.of(octets), length);
  }

  private static List<NextHop> nextHops(NetlinkMessage message, Attributes attributes)
      throws NetlinkException {
    Optional<Attribute> paths = attributes.find(Rtnl.RTA_MULTIPATH);
    if (paths.isPresent()) {
      return paths(paths.get());
    }
    int index = attributes.u32(Rtnl.RTA_OIF, 0);
    if (index == 0) {
      return List.of();
    }
    boolean isOnlink = (message.u32(8) & Rtnl.RTNH_F_ONLINK) != 0;
    return List.of(new NextHop(gateway(attributes), index, 1, isOnlink));
  }

  private static List<NextHop> paths(Attribute multipath) throws NetlinkException {
    List<NextHop> hops = new ArrayList<>();
    int at = 0;
    while (multipath.length() - at >= Rtnl.RTNEXTHOP_OCTETS) {
      int size = multipath.u16(at);
      Attributes attributes = multipath.nested(at + Rtnl.RTNEXTHOP_OCTETS, at + size);
      hops.add(
          new NextHop(
              gateway(attributes),
              multipath.u32(at + 4),
              multipath.u8(at + 3) + 1,
              (multipath.u8(at + 2) & Rtnl.RTNH_F_ONLINK) != 0));
      at += (size + 3) & ~3;
    }
    return hops;
  }

  private static Optional<IpAddress> gateway(Attributes attributes) {
    Optional<IpAddress> same = address(attributes, Rtnl.RTA_GATEWAY);
    if (same.isPresent()) {
      return same;
    }
    return attributes
        .find(RTA_VIA)
        .map(Attribute::bytes)
        .map(via -> IpAddress.of(Arrays.copyOfRange(via, Math.min(2, via.length), via.length)));
  }

  private static Optional<IpAddress> address(Attributes attributes, int type) {
    return attributes.find(type).map(Attribute::bytes).map(IpAddress::of);
  }
}
