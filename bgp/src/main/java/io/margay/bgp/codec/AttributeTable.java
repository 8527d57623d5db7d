package io.margay.bgp.codec;

import static io.margay.bgp.codec.AttributeRow.OPTIONAL;
import static io.margay.bgp.codec.AttributeRow.OPTIONAL_TRANSITIVE;
import static io.margay.bgp.codec.AttributeRow.WELL_KNOWN;

import io.margay.bgp.codec.AttributeRow.Decoder;
import io.margay.bgp.codec.AttributeRow.Encoder;
import io.margay.bgp.message.AfiSafi;
import io.margay.bgp.message.Nlri;
import io.margay.bgp.message.PathAttribute;
import io.margay.bgp.message.PathAttribute.Aggregator;
import io.margay.bgp.message.PathAttribute.As4Aggregator;
import io.margay.bgp.message.PathAttribute.As4Path;
import io.margay.bgp.message.PathAttribute.AsPathAttribute;
import io.margay.bgp.message.PathAttribute.AtomicAggregate;
import io.margay.bgp.message.PathAttribute.ClusterList;
import io.margay.bgp.message.PathAttribute.Communities;
import io.margay.bgp.message.PathAttribute.ExtendedCommunities;
import io.margay.bgp.message.PathAttribute.LargeCommunities;
import io.margay.bgp.message.PathAttribute.LocalPref;
import io.margay.bgp.message.PathAttribute.MpReach;
import io.margay.bgp.message.PathAttribute.MpUnreach;
import io.margay.bgp.message.PathAttribute.MultiExitDisc;
import io.margay.bgp.message.PathAttribute.NextHop;
import io.margay.bgp.message.PathAttribute.Origin;
import io.margay.bgp.message.PathAttribute.OriginCode;
import io.margay.bgp.message.PathAttribute.OriginatorId;
import io.margay.model.net.Asn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Ipv4Address;
import io.margay.model.net.RouterId;
import io.netty.buffer.ByteBuf;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The known attribute types, one row each, ascending by type code. {@link
/// PathAttribute.Unrecognized} stands for every type that has no row.
final class AttributeTable {

  private static final int CODES = 256;

  static final List<AttributeRow<?>> ROWS =
      List.of(
          row(
              1,
              "ORIGIN",
              Origin.class,
              WELL_KNOWN,
              ErrorAction.WITHDRAW,
              AttributeTable::readOrigin,
              (origin, to, _) -> to.writeByte(origin.origin().wireValue())),
          row(
              2,
              "AS_PATH",
              AsPathAttribute.class,
              WELL_KNOWN,
              ErrorAction.WITHDRAW,
              (value, context) ->
                  new AsPathAttribute(
                      AsPathCodec.read(value, context.fourOctetAs(), context.internal())),
              (_, _, _) -> {}),
          row(
              3,
              "NEXT_HOP",
              NextHop.class,
              WELL_KNOWN,
              ErrorAction.WITHDRAW,
              (value, _) -> new NextHop(new Ipv4Address(exactly(value, 4).readInt())),
              (hop, to, _) -> to.writeInt(hop.address().value())),
          row(
              4,
              "MULTI_EXIT_DISC",
              MultiExitDisc.class,
              OPTIONAL,
              ErrorAction.WITHDRAW,
              (value, _) -> new MultiExitDisc(exactly(value, 4).readInt()),
              (med, to, _) -> to.writeInt(med.value())),
          internal(
              5,
              "LOCAL_PREF",
              LocalPref.class,
              WELL_KNOWN,
              ErrorAction.WITHDRAW,
              (value, _) -> new LocalPref(exactly(value, 4).readInt()),
              (pref, to, _) -> to.writeInt(pref.value())),
          row(
              6,
              "ATOMIC_AGGREGATE",
              AtomicAggregate.class,
              WELL_KNOWN,
              ErrorAction.DISCARD,
              (value, _) -> {
                exactly(value, 0);
                return new AtomicAggregate();
              },
              (_, _, _) -> {}),
          row(
              7,
              "AGGREGATOR",
              Aggregator.class,
              OPTIONAL_TRANSITIVE,
              ErrorAction.DISCARD,
              AttributeTable::readAggregator,
              (aggregator, to, context) -> {
                writeAsn(aggregator.asn(), context.fourOctetAs(), to);
                to.writeInt(aggregator.speaker().value());
              }),
          row(
              8,
              "COMMUNITIES",
              Communities.class,
              OPTIONAL_TRANSITIVE,
              ErrorAction.WITHDRAW,
              (value, _) -> Communities.ofValues(ints(value, count(value, 4))),
              (list, to, _) -> {
                for (int i = 0; i < list.size(); i++) {
                  to.writeInt(list.value(i));
                }
              }),
          internal(
              9,
              "ORIGINATOR_ID",
              OriginatorId.class,
              OPTIONAL,
              ErrorAction.WITHDRAW,
              AttributeTable::readOriginatorId,
              (originator, to, _) -> to.writeInt(originator.id().value())),
          internal(
              10,
              "CLUSTER_LIST",
              ClusterList.class,
              OPTIONAL,
              ErrorAction.WITHDRAW,
              (value, _) -> ClusterList.ofValues(ints(value, count(value, 4))),
              (list, to, _) -> {
                for (int i = 0; i < list.size(); i++) {
                  to.writeInt(list.value(i));
                }
              }),
          row(
              14,
              "MP_REACH_NLRI",
              MpReach.class,
              OPTIONAL,
              ErrorAction.RESET,
              AttributeTable::readMpReach,
              AttributeTable::writeMpReach),
          row(
              15,
              "MP_UNREACH_NLRI",
              MpUnreach.class,
              OPTIONAL,
              ErrorAction.RESET,
              AttributeTable::readMpUnreach,
              (unreach, to, _) -> {
                to.writeShort(unreach.family().afi()).writeByte(unreach.family().safi());
                PrefixCodec.writeAll(unreach.nlri(), to);
              }),
          row(
              16,
              "EXTENDED_COMMUNITIES",
              ExtendedCommunities.class,
              OPTIONAL_TRANSITIVE,
              ErrorAction.WITHDRAW,
              (value, _) -> {
                long[] communities = new long[count(value, 8)];
                for (int i = 0; i < communities.length; i++) {
                  communities[i] = value.readLong();
                }
                return ExtendedCommunities.ofValues(communities);
              },
              (list, to, _) -> {
                for (int i = 0; i < list.size(); i++) {
                  to.writeLong(list.value(i));
                }
              }),
          row(
              17,
              "AS4_PATH",
              As4Path.class,
              OPTIONAL_TRANSITIVE,
              ErrorAction.DISCARD,
              (value, _) -> new As4Path(AsPathCodec.read(value, true, true)),
              (_, _, _) -> {}),
          row(
              18,
              "AS4_AGGREGATOR",
              As4Aggregator.class,
              OPTIONAL_TRANSITIVE,
              ErrorAction.DISCARD,
              (value, _) -> {
                exactly(value, 8);
                return new As4Aggregator(
                    new Asn(value.readInt()), new Ipv4Address(value.readInt()));
              },
              (aggregator, to, _) ->
                  to.writeInt(aggregator.asn().value()).writeInt(aggregator.speaker().value())),
          row(
              32,
              "LARGE_COMMUNITY",
              LargeCommunities.class,
              OPTIONAL_TRANSITIVE,
              ErrorAction.WITHDRAW,
              (value, _) -> LargeCommunities.ofValues(ints(value, 3 * count(value, 12))),
              (list, to, _) ->
                  list.communities()
                      .forEach(
                          one ->
                              to.writeInt(one.administrator())
                                  .writeInt(one.first())
                                  .writeInt(one.second()))));

  private static final @Nullable AttributeRow<?>[] BY_CODE = index();

  private AttributeTable() {}

  static Optional<AttributeRow<?>> find(int code) {
    return Optional.ofNullable(BY_CODE[code & 0xff]);
  }

  /// Writes header and value, with the extended length only where it is needed.
  static void encode(PathAttribute attribute, ByteBuf to, CodecContext context) {
    int flags;
    AttributeRow<?> row = BY_CODE[attribute.code()];
    if (attribute instanceof PathAttribute.Unrecognized unrecognized) {
      flags = unrecognized.flags();
    } else if (row != null) {
      flags = row.flags();
    } else {
      throw new IllegalStateException("no row for attribute " + attribute.code());
    }
    int start = to.writerIndex();
    to.writeByte(flags).writeByte(attribute.code()).writeByte(0);
    int valueStart = to.writerIndex();
    if (attribute instanceof PathAttribute.Unrecognized unrecognized) {
      to.writeBytes(unrecognized.value().toBytes());
    } else if (row != null) {
      row.encodeValue(attribute, to, context);
    }
    int length = to.writerIndex() - valueStart;
    if (length <= 0xff) {
      to.setByte(valueStart - 1, length);
      return;
    }
    to.writeByte(0);
    for (int i = to.writerIndex() - 1; i > valueStart; i--) {
      to.setByte(i, to.getByte(i - 1));
    }
    to.setByte(start, flags | AttributeRow.EXTENDED_LENGTH);
    to.setShort(valueStart - 1, length);
  }

  private static Origin readOrigin(ByteBuf value, CodecContext context) throws MalformedAttribute {
    int code = exactly(value, 1).readUnsignedByte();
    for (OriginCode origin : OriginCode.values()) {
      if (origin.wireValue() == code) {
        return new Origin(origin);
      }
    }
    throw new MalformedAttribute("origin " + code + " is undefined");
  }

  private static Aggregator readAggregator(ByteBuf value, CodecContext context)
      throws MalformedAttribute {
    exactly(value, context.fourOctetAs() ? 8 : 6);
    Asn asn = new Asn(context.fourOctetAs() ? value.readInt() : value.readUnsignedShort());
    if (asn.toLong() == 0) {
      throw new MalformedAttribute("AS 0 as aggregator");
    }
    return new Aggregator(asn, new Ipv4Address(value.readInt()));
  }

  private static OriginatorId readOriginatorId(ByteBuf value, CodecContext context)
      throws MalformedAttribute {
    int id = exactly(value, 4).readInt();
    if (id == 0) {
      throw new MalformedAttribute("originator 0.0.0.0");
    }
    return new OriginatorId(new RouterId(id));
  }

  /// A family we do not exchange is not looked into: it comes back without prefixes.
  private static MpReach readMpReach(ByteBuf value, CodecContext context)
      throws MalformedAttribute {
    if (value.readableBytes() < 5) {
      throw new MalformedAttribute("shorter than its fixed fields");
    }
    AfiSafi family = new AfiSafi(value.readUnsignedShort(), value.readUnsignedByte());
    int hopLength = value.readUnsignedByte();
    if (value.readableBytes() < hopLength + 1) {
      throw new MalformedAttribute("next hop of " + hopLength + " octets does not fit");
    }
    ByteBuf hop = value.readSlice(hopLength);
    value.skipBytes(1);
    IpFamily unicast = family.unicastFamily().orElse(null);
    if (unicast == null || !context.families().contains(family)) {
      return new MpReach(family, new Ipv4Address(0), null, Nlri.none(IpFamily.IPV4));
    }
    return switch (unicast) {
      case IPV4 -> {
        if (hopLength != 4) {
          throw new MalformedAttribute("IPv4 next hop of " + hopLength + " octets");
        }
        yield new MpReach(family, address(hop, 4), null, PrefixCodec.read(value, unicast));
      }
      case IPV6 -> {
        if (hopLength != 16 && hopLength != 32) {
          throw new MalformedAttribute("IPv6 next hop of " + hopLength + " octets");
        }
        IpAddress first = address(hop, 16);
        @Nullable IpAddress second = hopLength == 32 ? address(hop, 16) : null;
        if (second != null && !second.isLinkLocal()) {
          second = null;
        }
        // A peer without a global address sends :: or its link-local address in the first half.
        IpAddress nextHop = first.isUnspecified() && second != null ? second : first;
        yield new MpReach(family, nextHop, second, PrefixCodec.read(value, unicast));
      }
    };
  }

  private static IpAddress address(ByteBuf from, int octets) {
    byte[] bytes = new byte[octets];
    from.readBytes(bytes);
    return IpAddress.of(bytes);
  }

  private static void writeMpReach(MpReach reach, ByteBuf to, CodecContext context) {
    to.writeShort(reach.family().afi()).writeByte(reach.family().safi());
    byte[] hop = reach.nextHop().toBytes();
    IpAddress linkLocal = reach.linkLocal();
    to.writeByte(linkLocal == null ? hop.length : 2 * hop.length).writeBytes(hop);
    if (linkLocal != null) {
      to.writeBytes(linkLocal.toBytes());
    }
    to.writeByte(0);
    PrefixCodec.writeAll(reach.nlri(), to);
  }

  private static MpUnreach readMpUnreach(ByteBuf value, CodecContext context)
      throws MalformedAttribute {
    if (value.readableBytes() < 3) {
      throw new MalformedAttribute("shorter than its fixed fields");
    }
    AfiSafi family = new AfiSafi(value.readUnsignedShort(), value.readUnsignedByte());
    IpFamily unicast = family.unicastFamily().orElse(null);
    if (unicast == null || !context.families().contains(family)) {
      return new MpUnreach(family, Nlri.none(unicast == null ? IpFamily.IPV4 : unicast));
    }
    return new MpUnreach(family, PrefixCodec.read(value, unicast));
  }

  private static void writeAsn(Asn asn, boolean fourOctets, ByteBuf to) {
    if (fourOctets) {
      to.writeInt(asn.value());
    } else {
      to.writeShort((asn.isTwoOctet() ? asn : Asn.TRANS).value());
    }
  }

  private static ByteBuf exactly(ByteBuf value, int octets) throws MalformedAttribute {
    if (value.readableBytes() != octets) {
      throw new MalformedAttribute(value.readableBytes() + " octets where " + octets + " belong");
    }
    return value;
  }

  /// The number of elements of a list that must have some (RFC 7606 §7.8, RFC 8092 §5).
  private static int count(ByteBuf value, int octets) throws MalformedAttribute {
    int length = value.readableBytes();
    if (length == 0 || length % octets != 0) {
      throw new MalformedAttribute(length + " octets are not a list of " + octets + " each");
    }
    return length / octets;
  }

  private static int[] ints(ByteBuf value, int count) {
    int[] ints = new int[count];
    for (int i = 0; i < count; i++) {
      ints[i] = value.readInt();
    }
    return ints;
  }

  private static <A extends PathAttribute> AttributeRow<A> row(
      int code,
      String name,
      Class<A> type,
      int flags,
      ErrorAction onMalformed,
      Decoder<A> decoder,
      Encoder<A> encoder) {
    return new AttributeRow<>(code, name, type, flags, onMalformed, false, decoder, encoder);
  }

  private static <A extends PathAttribute> AttributeRow<A> internal(
      int code,
      String name,
      Class<A> type,
      int flags,
      ErrorAction onMalformed,
      Decoder<A> decoder,
      Encoder<A> encoder) {
    return new AttributeRow<>(code, name, type, flags, onMalformed, true, decoder, encoder);
  }

  private static @Nullable AttributeRow<?>[] index() {
    @Nullable AttributeRow<?>[] byCode = new AttributeRow<?>[CODES];
    for (AttributeRow<?> row : ROWS) {
      byCode[row.code()] = row;
    }
    return byCode;
  }
}
