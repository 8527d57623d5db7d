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
              "message type " + type);
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
    return new DecodeOutcome.Accepted(
        new RouteRefresh(new AfiSafi(afi, body.skipBytes(1).readUnsignedByte())));
  }

  /// The erroneous length goes back as data (RFC 4271 §6.1).
  static DecodeOutcome.SessionReset badLength(int length, String problem) {
    return new DecodeOutcome.SessionReset(
        new Notification(
            Notification.MESSAGE_HEADER,
            2,
            Octets.of(new byte[] {(byte) (length >>> 8), (byte) length})),
        problem);
  }

  /// Appends one message.
  ///
  /// @throws IllegalArgumentException when it exceeds {@link #MAX_MESSAGE_OCTETS}; `to` is then as
  ///   before
  static void encode(Message message, ByteBuf to, CodecContext context) {
    int start = to.writerIndex();
    for (int i = 0; i < MARKER_OCTETS; i++) {
      to.writeByte(0xff);
    }
    to.writeShort(0);
    switch (message) {
      case Open open -> OpenCodec.encode(open, to.writeByte(TYPE_OPEN));
      case Update update -> encodeUpdate(update, to.writeByte(TYPE_UPDATE), context);
      case Notification(int code, int subcode, Octets data) ->
          to.writeByte(TYPE_NOTIFICATION)
              .writeByte(code)
              .writeByte(subcode)
              .writeBytes(data.toBytes());
      case Keepalive() -> to.writeByte(TYPE_KEEPALIVE);
      case RouteRefresh(AfiSafi family) ->
          to.writeByte(TYPE_ROUTE_REFRESH)
              .writeShort(family.afi())
              .writeByte(0)
              .writeByte(family.safi());
    }
    int length = to.writerIndex() - start;
    if (length > MAX_MESSAGE_OCTETS) {
      to.writerIndex(start);
      throw new IllegalArgumentException(
          message.typeName() + " of " + length + " octets exceeds " + MAX_MESSAGE_OCTETS);
    }
    to.setShort(start + MARKER_OCTETS, length);
  }

  private static void encodeUpdate(Update update, ByteBuf to, CodecContext context) {
    OctetWriter body = new OctetWriter();
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
    to.writeBytes(body.octets(), 0, body.size());
  }

  /// Octets the attributes take in an UPDATE to a peer, without MP_REACH_NLRI and NEXT_HOP.
  public static int attributeOctets(PathAttributes attributes, CodecContext context) {
    OctetWriter scratch = new OctetWriter();
    AttributeWriter.write(attributes, null, context.fourOctetAs(), scratch);
    return scratch.size();
  }
}
