package io.margay.linux.route;

import static io.margay.linux.netlink.NetlinkMessage.CREATE;
import static io.margay.linux.netlink.NetlinkMessage.EXCL;
import static io.margay.linux.netlink.NetlinkMessage.REPLACE;

import io.margay.linux.Errno;
import io.margay.linux.NetlinkException;
import io.margay.linux.netlink.Attribute;
import io.margay.linux.netlink.Attributes;
import io.margay.linux.netlink.MessageBuilder;
import io.margay.linux.netlink.NetlinkMessage;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Next-hop objects as RTM_NEWNEXTHOP and RTM_DELNEXTHOP messages: `struct nhmsg` (family, scope,
/// protocol, nothing, flags), then attributes.
final class NextHopCodec {

  /// Timers are `clock_t` of USER_HZ, which is 100 on every machine that we run on.
  private static final long MILLIS_PER_TICK = 10;

  private NextHopCodec() {}

  static NetlinkMessage encode(NextHopChange change) {
    return switch (change) {
      case NextHopChange.Add(NextHopObject object) ->
          written(object, CREATE | EXCL, "add next-hop object");
      case NextHopChange.Replace(NextHopObject object) ->
          written(object, REPLACE, "replace next-hop object");
      case NextHopChange.Delete(int id) ->
          header(
                  new MessageBuilder(
                      Rtnl.DELNEXTHOP, 0, "delete next-hop object", NextHopObject.text(id)),
                  0,
                  0,
                  0)
              .attrU32(Rtnl.NHA_ID, id)
              .build();
    };
  }

  private static NetlinkMessage written(NextHopObject object, int flags, String operation) {
    MessageBuilder message = new MessageBuilder(Rtnl.NEWNEXTHOP, flags, operation, object);
    switch (object) {
      case NextHopObject.Single(int id, int protocol, NextHop hop) -> {
        // One without a gateway is for routes of one family alone; those of ours have gateways.
        IpFamily family = hop.gateway().map(IpAddress::family).orElse(IpFamily.IPV4);
        header(message, Rtnl.familyCode(family), protocol, hop.isOnlink() ? Rtnl.RTNH_F_ONLINK : 0);
        message.attrU32(Rtnl.NHA_ID, id).attrU32(Rtnl.NHA_OIF, hop.index());
        hop.gateway().ifPresent(gateway -> message.attr(Rtnl.NHA_GATEWAY, gateway.toBytes()));
      }
      case NextHopObject.Group(
              int id,
              int protocol,
              GroupKind kind,
              List<NextHopObject.Member> members) -> {
        header(message, 0, protocol, 0).attrU32(Rtnl.NHA_ID, id);
        message.container(
            Rtnl.NHA_GROUP,
            group ->
                members.forEach(member -> group.u32(member.id()).u8(member.weight() - 1).pad()));
        kind(message, kind);
      }
    }
    return message.build();
  }

  private static void kind(MessageBuilder message, GroupKind kind) {
    switch (kind) {
      case GroupKind.Multipath _ ->
          message.attrU16(Rtnl.NHA_GROUP_TYPE, Rtnl.NEXTHOP_GRP_TYPE_MPATH);
      case GroupKind.Resilient(int buckets, Duration idle, Duration unbalanced) -> {
        message.attrU16(Rtnl.NHA_GROUP_TYPE, Rtnl.NEXTHOP_GRP_TYPE_RES);
        message.nest(
            Rtnl.NHA_RES_GROUP,
            nest ->
                nest.attrU16(Rtnl.NHA_RES_GROUP_BUCKETS, buckets)
                    .attrU32(Rtnl.NHA_RES_GROUP_IDLE_TIMER, ticks(idle))
                    .attrU32(Rtnl.NHA_RES_GROUP_UNBALANCED_TIMER, ticks(unbalanced)));
      }
    }
  }

  private static int ticks(Duration duration) {
    return (int) (duration.toMillis() / MILLIS_PER_TICK);
  }

  private static MessageBuilder header(
      MessageBuilder message, int family, int protocol, int flags) {
    return message.u8(family).u8(0).u8(protocol).u8(0).u32(flags);
  }

  /// A dump question. The kernel filters by device and kind, but not by protocol.
  static NetlinkMessage question() {
    return header(new MessageBuilder(Rtnl.GETNEXTHOP, 0, "list", "next-hop objects"), 0, 0, 0)
        .build();
  }

  /// A dump question for the buckets of a group that is not there: what knows the question knows
  /// resilient groups.
  static NetlinkMessage bucketQuestion(int id) {
    return header(
            new MessageBuilder(Rtnl.GETNEXTHOPBUCKET, 0, "list", "buckets of next-hop objects"),
            0,
            0,
            0)
        .attrU32(Rtnl.NHA_ID, id)
        .build();
  }

  /// @return empty for what is no next hop of routes, and for shapes that are never ours
  static Optional<NextHopObject> decode(NetlinkMessage message) throws NetlinkException {
    if (message.type() != Rtnl.NEWNEXTHOP) {
      return Optional.empty();
    }
    int protocol = message.u8(Rtnl.NHM_PROTOCOL);
    Attributes attributes = message.attributes(Rtnl.NHMSG_OCTETS);
    int id = attributes.u32(Rtnl.NHA_ID, 0);
    Optional<Attribute> group = attributes.find(Rtnl.NHA_GROUP);
    try {
      if (group.isPresent()) {
        List<NextHopObject.Member> members = members(group.get());
        Optional<GroupKind> kind = kind(attributes);
        return kind.map(known -> new NextHopObject.Group(id, protocol, known, members));
      }
      int index = attributes.u32(Rtnl.NHA_OIF, 0);
      if (index == 0) {
        return Optional.empty();
      }
      Optional<IpAddress> gateway =
          attributes.find(Rtnl.NHA_GATEWAY).map(Attribute::bytes).map(IpAddress::of);
      boolean isOnlink = (message.u32(4) & Rtnl.RTNH_F_ONLINK) != 0;
      return Optional.of(
          new NextHopObject.Single(id, protocol, new NextHop(gateway, index, 1, isOnlink)));
    } catch (IllegalArgumentException e) {
      throw new NetlinkException(
          "read next-hop object",
          NextHopObject.text(id),
          Errno.EBADMSG,
          String.valueOf(e.getMessage()));
    }
  }

  private static List<NextHopObject.Member> members(Attribute group) throws NetlinkException {
    List<NextHopObject.Member> members = new ArrayList<>();
    for (int at = 0;
        group.length() - at >= Rtnl.NEXTHOP_GRP_OCTETS;
        at += Rtnl.NEXTHOP_GRP_OCTETS) {
      members.add(new NextHopObject.Member(group.u32(at), group.u8(at + 4) + 1));
    }
    return members;
  }

  private static Optional<GroupKind> kind(Attributes attributes) throws NetlinkException {
    Optional<Attribute> type = attributes.find(Rtnl.NHA_GROUP_TYPE);
    int code = type.isPresent() ? type.get().u16() : Rtnl.NEXTHOP_GRP_TYPE_MPATH;
    Optional<Attribute> resilient = attributes.find(Rtnl.NHA_RES_GROUP);
    if (code == Rtnl.NEXTHOP_GRP_TYPE_MPATH) {
      return Optional.of(new GroupKind.Multipath());
    }
    if (code != Rtnl.NEXTHOP_GRP_TYPE_RES || resilient.isEmpty()) {
      return Optional.empty();
    }
    Attributes nest = resilient.get().nested();
    Optional<Attribute> buckets = nest.find(Rtnl.NHA_RES_GROUP_BUCKETS);
    return Optional.of(
        new GroupKind.Resilient(
            buckets.isPresent() ? buckets.get().u16() : 0,
            duration(nest.u32(Rtnl.NHA_RES_GROUP_IDLE_TIMER, 0)),
            duration(nest.u32(Rtnl.NHA_RES_GROUP_UNBALANCED_TIMER, 0))));
  }

  private static Duration duration(int ticks) {
    return Duration.ofMillis(Integer.toUnsignedLong(ticks) * MILLIS_PER_TICK);
  }
}
