package io.margay.bgp.codec;

import io.margay.bgp.message.AfiSafi;
import io.margay.bgp.message.NextHop;
import io.margay.bgp.message.Nlri;
import io.margay.bgp.message.PathAttribute;
import io.margay.bgp.message.RouteAttributes;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Ipv4Address;
import io.margay.model.net.Ipv6Address;
import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/// Writes routes of one session as UPDATEs: the attributes once, then as many prefixes as the peer
/// takes in a message, then the next message. Serves one thread and is kept for the session.
public final class UpdateWriter {

  private static final int TYPE_UPDATE = 2;

  /// Marker, length, type and the two length fields (RFC 4271 §4.3).
  private static final int FIXED_OCTETS = MessageCodec.HEADER_OCTETS + 4;

  /// Flags, code, two octets of length.
  private static final int ATTRIBUTE_HEADER_OCTETS = 4;

  /// AFI and SAFI.
  private static final int FAMILY_OCTETS = 3;

  private static final int PATH_ID_OCTETS = 4;
  private static final int MP_REACH = 14;
  private static final int MP_UNREACH = 15;

  private final CodecContext context;
  private final OctetWriter attributes = new OctetWriter(256);
  private final OctetWriter message = new OctetWriter(MessageCodec.MAX_MESSAGE_OCTETS + 64);

  /// AFI, SAFI, next hop and the reserved octet.
  private final OctetWriter reach = new OctetWriter(64);

  public UpdateWriter(CodecContext context) {
    this.context = context;
  }

  /// Appends as many UPDATEs as the prefixes take.
  ///
  /// IPv4 routes with an IPv4 next hop stand in the message's own fields; others in MP_REACH_NLRI,
  /// which comes first (RFC 7606 §5.1).
  ///
  /// @param route what the prefixes have in common; null: they are withdrawn
  /// @return how many messages; zero, and nothing written, when the peer cannot be told: the
  ///   attributes leave no room for a prefix, or the next hop is of a family the session does not
  ///   allow. Such prefixes must be withdrawn
  public int write(IpFamily family, @Nullable RouteAttributes route, Nlri nlri, ByteBuf to) {
    if (nlri.isEmpty()) {
      return 0;
    }
    if (nlri.family() != family) {
      throw new IllegalArgumentException(nlri.family() + " prefixes among " + family);
    }
    if (route == null) {
      return withdraw(family, nlri, to);
    }
    NextHop hop = route.nextHop();
    AfiSafi unicast = AfiSafi.unicast(family);
    attributes.clear();
    if (family == IpFamily.IPV4 && hop.address() instanceof Ipv4Address address) {
      AttributeWriter.write(route.attributes(), address, context.fourOctetAs(), attributes);
      return announceInOwnField(nlri, to);
    }
    if (hop.address().family() != IpFamily.IPV6
        || family != IpFamily.IPV6 && !context.extendedNextHop().contains(unicast)) {
      return 0;
    }
    AttributeWriter.write(route.attributes(), null, context.fourOctetAs(), attributes);
    reach.clear();
    beginReach(unicast, hop.address(), hop.linkLocal(), reach);
    return announceByAttribute(nlri, to);
  }

  private int announceInOwnField(Nlri nlri, ByteBuf to) {
    boolean ids = context.addPathSend().contains(AfiSafi.unicast(nlri.family()));
    int room = context.maxOctets() - FIXED_OCTETS - attributes.size();
    if (room < longest(nlri.family(), ids)) {
      return 0;
    }
    int messages = 0;
    for (int from = 0; from < nlri.size(); ) {
      int end = fitting(nlri, from, room, ids);
      begin(message);
      message.u16(0);
      message.u16(attributes.size());
      message.bytes(attributes);
      prefixes(nlri, from, end, ids, message);
      finish(message, to);
      messages++;
      from = end;
    }
    return messages;
  }

  private int announceByAttribute(Nlri nlri, ByteBuf to) {
    boolean ids = context.addPathSend().contains(AfiSafi.unicast(nlri.family()));
    int fixed = FIXED_OCTETS + ATTRIBUTE_HEADER_OCTETS + reach.size() + attributes.size();
    int room = context.maxOctets() - fixed;
    if (room < longest(nlri.family(), ids)) {
      return 0;
    }
    int messages = 0;
    for (int from = 0; from < nlri.size(); ) {
      int end = fitting(nlri, from, room, ids);
      begin(message);
      message.u16(0);
      int lengthAt = message.size();
      message.u16(0);
      AttributeWriter.header(
          AttributeType.Flags.OPTIONAL,
          MP_REACH,
          reach.size() + octets(nlri, from, end, ids),
          message);
      message.bytes(reach);
      prefixes(nlri, from, end, ids, message);
      message.bytes(attributes);
      message.u16At(lengthAt, message.size() - lengthAt - 2);
      finish(message, to);
      messages++;
      from = end;
    }
    return messages;
  }

  /// IPv4 stands in the message's own field unless its routes may have come by MP_REACH_NLRI.
  private int withdraw(IpFamily family, Nlri nlri, ByteBuf to) {
    AfiSafi unicast = AfiSafi.unicast(family);
    boolean ids = context.addPathSend().contains(unicast);
    boolean own = family == IpFamily.IPV4 && !context.extendedNextHop().contains(unicast);
    int room =
        context.maxOctets() - FIXED_OCTETS - (own ? 0 : ATTRIBUTE_HEADER_OCTETS + FAMILY_OCTETS);
    int messages = 0;
    for (int from = 0; from < nlri.size(); ) {
      int end = fitting(nlri, from, room, ids);
      int octets = octets(nlri, from, end, ids);
      begin(message);
      if (own) {
        message.u16(octets);
        prefixes(nlri, from, end, ids, message);
        message.u16(0);
      } else {
        message.u16(0);
        int lengthAt = message.size();
        message.u16(0);
        beginUnreach(unicast, octets, message);
        prefixes(nlri, from, end, ids, message);
        message.u16At(lengthAt, message.size() - lengthAt - 2);
      }
      finish(message, to);
      messages++;
      from = end;
    }
    return messages;
  }

  /// Appends the marker that all initial routes of a family were sent (RFC 4724 §2).
  public void endOfRib(IpFamily family, ByteBuf to) {
    begin(message);
    message.u16(0);
    switch (family) {
      case IPV4 -> message.u16(0);
      case IPV6 -> {
        int lengthAt = message.size();
        message.u16(0);
        beginUnreach(AfiSafi.IPV6_UNICAST, 0, message);
        message.u16At(lengthAt, message.size() - lengthAt - 2);
      }
    }
    finish(message, to);
  }

  private static void begin(OctetWriter message) {
    message.clear();
    message.fill(MessageCodec.MARKER_OCTETS, 0xff);
    message.u16(0);
    message.u8(TYPE_UPDATE);
  }

  private static void finish(OctetWriter message, ByteBuf to) {
    message.u16At(MessageCodec.MARKER_OCTETS, message.size());
    to.writeBytes(message.octets(), 0, message.size());
  }

  /// What precedes the prefixes in the value of MP_REACH_NLRI (RFC 4760 §3, RFC 2545 §3).
  static void beginReach(
      AfiSafi family, IpAddress nextHop, @Nullable IpAddress linkLocal, OctetWriter to) {
    to.u16(family.afi());
    to.u8(family.safi());
    to.u8(nextHop.family().octets() + (linkLocal == null ? 0 : linkLocal.family().octets()));
    address(nextHop, to);
    if (linkLocal != null) {
      address(linkLocal, to);
    }
    to.u8(0);
  }

  private static void address(IpAddress address, OctetWriter to) {
    if (address instanceof Ipv6Address ipv6) {
      to.u64(ipv6.high());
      to.u64(ipv6.low());
    } else if (address instanceof Ipv4Address ipv4) {
      to.u32(ipv4.value());
    }
  }

  /// Header and fixed fields of MP_UNREACH_NLRI (RFC 4760 §4).
  ///
  /// @param octets of the prefixes that follow
  static void beginUnreach(AfiSafi family, int octets, OctetWriter to) {
    AttributeWriter.header(AttributeType.Flags.OPTIONAL, MP_UNREACH, FAMILY_OCTETS + octets, to);
    to.u16(family.afi());
    to.u8(family.safi());
  }

  /// A whole MP_REACH_NLRI.
  static void reach(PathAttribute.MpReach reach, CodecContext context, OctetWriter to) {
    Nlri nlri = reach.nlri();
    boolean ids = context.addPathSend().contains(reach.family());
    OctetWriter head = new OctetWriter(64);
    beginReach(reach.family(), reach.nextHop(), reach.linkLocal(), head);
    int octets = head.size() + octets(nlri, 0, nlri.size(), ids);
    AttributeWriter.header(AttributeType.Flags.OPTIONAL, MP_REACH, octets, to);
    to.bytes(head);
    prefixes(nlri, 0, nlri.size(), ids, to);
  }

  /// A whole MP_UNREACH_NLRI.
  static void unreach(PathAttribute.MpUnreach unreach, CodecContext context, OctetWriter to) {
    Nlri nlri = unreach.nlri();
    boolean ids = context.addPathSend().contains(unreach.family());
    beginUnreach(unreach.family(), octets(nlri, 0, nlri.size(), ids), to);
    prefixes(nlri, 0, nlri.size(), ids, to);
  }

  private static int longest(IpFamily family, boolean ids) {
    return 1 + family.octets() + (ids ? PATH_ID_OCTETS : 0);
  }

  /// The index after the last prefix that still fits.
  private static int fitting(Nlri nlri, int from, int room, boolean ids) {
    int fixed = ids ? 1 + PATH_ID_OCTETS : 1;
    int left = room;
    int at = from;
    while (at < nlri.size()) {
      left -= fixed + (nlri.length(at) + 7 >>> 3);
      if (left < 0) {
        break;
      }
      at++;
    }
    return at;
  }

  static int octets(Nlri nlri, int from, int end, boolean ids) {
    int octets = (end - from) * (ids ? 1 + PATH_ID_OCTETS : 1);
    for (int i = from; i < end; i++) {
      octets += nlri.length(i) + 7 >>> 3;
    }
    return octets;
  }

  static void prefixes(Nlri nlri, int from, int end, boolean ids, OctetWriter to) {
    boolean ipv4 = nlri.family() == IpFamily.IPV4;
    for (int i = from; i < end; i++) {
      if (ids) {
        to.u32(nlri.pathId(i));
      }
      if (ipv4) {
        to.ipv4Prefix(nlri.high(i), nlri.length(i));
      } else {
        to.ipv6Prefix(nlri.high(i), nlri.low(i), nlri.length(i));
      }
    }
  }
}
