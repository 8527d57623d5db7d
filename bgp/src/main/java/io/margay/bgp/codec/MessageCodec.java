package io.margay.bgp.codec;

import io.margay.bgp.message.AfiSafi;
import io.margay.bgp.message.Keepalive;
import io.margay.bgp.message.Message;
import io.margay.bgp.message.Nlri;
import io.margay.bgp.message.Notification;
import io.margay.bgp.message.Octets;
import io.margay.bgp.message.Open;
import io.margay.bgp.message.PathAttribute;
import io.margay.bgp.message.PathAttributes;
import io.margay.bgp.message.RouteRefresh;
import io.margay.bgp.message.Update;
import io.netty.buffer.ByteBuf;

/// Whole messages as octets (RFC 4271 §4.1).
public final class MessageCodec {

  /// Longest message (RFC 4271 §4.1).
  public static final int MAX_MESSAGE_OCTETS = 4096;

  /// Marker, length and type.
  public static final int HEADER_OCTETS = 19;

  static final int MARKER_OCTETS = 16;

  private static final int TYPE_OPEN = 1;
  private static final int TYPE_UPDATE = 2;
  private static final int TYPE_NOTIFICATION = 3;
  private static final int TYPE_KEEPALIVE = 4;
  private static final int TYPE_ROUTE_REFRESH = 5;

  private MessageCodec() {}

  /// Reads one message.
  ///
  /// @param frame exactly one message, header included, of a length the framing has checked
  static DecodeOutcome decode(ByteBuf frame, CodecContext context) {
    int length = frame.readableBytes();
    frame.skipBytes(HEADER_OCTETS - 1);
    int type = frame.readUnsignedByte();
    return switch (type) {
      case TYPE_OPEN -> OpenCodec.decode(frame);
      case TYPE_UPDATE -> UpdateDecoder.decode(frame, context);
      case TYPE_NOTIFICATION -> decodeNotification(frame, length);
      case TYPE_KEEPALIVE ->
          length == HEADER_OCTETS
              ? new DecodeOutcome.Accepted(new Keepalive())
              : badLength(length, "KEEPALIVE of " + length + " octets");
      case TYPE_ROUTE_REFRESH -> decodeRouteRefresh(frame, length);
      default ->
          new DecodeOutcome.SessionReset(
              new Notification(Notification.MESSAGE_HEADER, 3, Octets.of(new byte[] {(byte) type})),
              "message type " + type,
              Octets.EMPTY);
    };
  }

  private static DecodeOutcome decodeNotification(ByteBuf body, int length) {
    if (body.readableBytes() < 2) {
      return badLength(length, "NOTIFICATION of " + length + " octets");
    }
    int code = body.readUnsignedByte();
    int subcode = body.readUnsignedByte();
    byte[] data = new byte[body.readableBytes()];
    body.readBytes(data);
    return new DecodeOutcome.Accepted(new Notification(code, subcode, Octets.of(data)));
  }

  private static DecodeOutcome decodeRouteRefresh(ByteBuf body, int length) {
    if (body.readableBytes() != 4) {
      return badLength(length, "ROUTE-REFRESH of " + length + " octets");
    }
    int afi = body.readUnsignedShort();
    int subtype = body.readUnsignedByte();
    return new DecodeOutcome.Accepted(
        new RouteRefresh(new AfiSafi(afi, body.readUnsignedByte()), subtype));
  }

  /// The erroneous length goes back as data (RFC 4271 §6.1).
  static DecodeOutcome.SessionReset badLength(int length, String problem) {
    return new DecodeOutcome.SessionReset(
        new Notification(
            Notification.MESSAGE_HEADER,
            2,
            Octets.of(new byte[] {(byte) (length >>> 8), (byte) length})),
        problem,
        Octets.EMPTY);
  }

  /// Appends one message.
  ///
  /// @throws IllegalArgumentException when it exceeds {@link #MAX_MESSAGE_OCTETS}; `to` is then as
  ///   before
  static void encode(Message message, ByteBuf to, CodecContext context) {
    OctetWriter octets = new OctetWriter(128);
    octets.fill(MARKER_OCTETS, 0xff);
    octets.u16(0);
    switch (message) {
      case Open open -> {
        octets.u8(TYPE_OPEN);
        OpenCodec.encode(open, octets);
      }
      case Update update -> {
        octets.u8(TYPE_UPDATE);
        encodeUpdate(update, octets, context);
      }
      case Notification(int code, int subcode, Octets data) -> {
        octets.u8(TYPE_NOTIFICATION);
        octets.u8(code);
        octets.u8(subcode);
        octets.bytes(data.toBytes());
      }
      case Keepalive() -> octets.u8(TYPE_KEEPALIVE);
      case RouteRefresh(AfiSafi family, int subtype) -> {
        octets.u8(TYPE_ROUTE_REFRESH);
        octets.u16(family.afi());
        octets.u8(subtype);
        octets.u8(family.safi());
      }
    }
    if (octets.size() > MAX_MESSAGE_OCTETS) {
      throw new IllegalArgumentException(
          message.typeName() + " of " + octets.size() + " octets exceeds " + MAX_MESSAGE_OCTETS);
    }
    octets.u16At(MARKER_OCTETS, octets.size());
    to.writeBytes(octets.octets(), 0, octets.size());
  }

  private static void encodeUpdate(Update update, OctetWriter body, CodecContext context) {
    Nlri withdrawn = update.withdrawn();
    boolean ids = context.addPathSend().contains(AfiSafi.IPV4_UNICAST);
    body.u16(UpdateWriter.octets(withdrawn, 0, withdrawn.size(), ids));
    UpdateWriter.prefixes(withdrawn, 0, withdrawn.size(), ids, body);
    int lengthAt = body.size();
    body.u16(0);
    PathAttribute.MpReach reach = update.reachable();
    if (reach != null) {
      UpdateWriter.reach(reach, context, body);
    }
    PathAttribute.MpUnreach unreach = update.unreachable();
    if (unreach != null) {
      UpdateWriter.unreach(unreach, context, body);
    }
    Nlri announced = update.announced();
    if (reach != null || !announced.isEmpty() || !update.attributes().isEmpty()) {
      AttributeWriter.write(update.attributes(), update.nextHop(), context.fourOctetAs(), body);
    }
    body.u16At(lengthAt, body.size() - lengthAt - 2);
    UpdateWriter.prefixes(announced, 0, announced.size(), ids, body);
  }

  /// Octets the attributes take in an UPDATE to a peer, without MP_REACH_NLRI and NEXT_HOP.
  public static int attributeOctets(PathAttributes attributes, CodecContext context) {
    OctetWriter scratch = new OctetWriter(128);
    AttributeWriter.write(attributes, null, context.fourOctetAs(), scratch);
    return scratch.size();
  }
}
