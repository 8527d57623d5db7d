package io.margay.bgp.codec;

import io.margay.bgp.message.AfiSafi;
import io.margay.bgp.message.Keepalive;
import io.margay.bgp.message.Message;
import io.margay.bgp.message.Nlri;
import io.margay.bgp.message.Notification;
import io.margay.bgp.message.Octets;
import io.margay.bgp.message.Open;
import io.margay.bgp.message.PathAttribute;
import io.margay.bgp.message.RouteRefresh;
import io.margay.bgp.message.Update;
import io.netty.buffer.ByteBuf;
import java.util.Arrays;

/// Whole messages as octets (RFC 4271 §4.1).
public final class MessageCodec {

  /// Longest message (RFC 4271 §4.1).
  public static final int MAX_MESSAGE_OCTETS = 4096;

  /// Marker, length and type.
  public static final int HEADER_OCTETS = 19;

  static final int MARKER_OCTETS = 16;

  private static final int MIN_OPEN_OCTETS = 29;
  private static final int MIN_UPDATE_OCTETS = 23;
  private static final int ROUTE_REFRESH_OCTETS = 23;

  private static final int TYPE_OPEN = 1;
  private static final int TYPE_UPDATE = 2;
  private static final int TYPE_NOTIFICATION = 3;
  private static final int TYPE_KEEPALIVE = 4;
  private static final int TYPE_ROUTE_REFRESH = 5;

  private static final DecodeOutcome KEEPALIVE = new DecodeOutcome.Accepted(new Keepalive());

  private MessageCodec() {}

  /// Reads one message.
  ///
  /// @param octets hold exactly one message at their beginning, header included, of a length the
  ///   framing has checked; they are not kept
  static DecodeOutcome decode(byte[] octets, int length, CodecContext context) {
    OctetReader from = new OctetReader(octets, length);
    from.position(HEADER_OCTETS);
    int type = octets[HEADER_OCTETS - 1] & 0xff;
    // RFC 4271 §6.1: each type has a least length.
    return switch (type) {
      case TYPE_OPEN -> length < MIN_OPEN_OCTETS ? badLength(from, "OPEN") : OpenCodec.decode(from);
      case TYPE_UPDATE ->
          length < MIN_UPDATE_OCTETS
              ? badLength(from, "UPDATE")
              : UpdateDecoder.decode(from, context);
      case TYPE_NOTIFICATION -> notification(octets, length);
      case TYPE_KEEPALIVE -> length == HEADER_OCTETS ? KEEPALIVE : badLength(from, "KEEPALIVE");
      case TYPE_ROUTE_REFRESH -> routeRefresh(octets, length, from);
      default ->
          new DecodeOutcome.SessionReset(
              new Notification(Notification.MESSAGE_HEADER, 3, Octets.of(new byte[] {(byte) type})),
              "message type " + type + " is unknown",
              from.sample());
    };
  }

  /// A NOTIFICATION is never answered (RFC 4271 §6.4), so one cut short is read as far as it goes.
  private static DecodeOutcome notification(byte[] octets, int length) {
    int code = length > HEADER_OCTETS ? octets[HEADER_OCTETS] & 0xff : 0;
    int subcode = length > HEADER_OCTETS + 1 ? octets[HEADER_OCTETS + 1] & 0xff : 0;
    int dataAt = Math.min(length, HEADER_OCTETS + 2);
    return new DecodeOutcome.Accepted(
        new Notification(code, subcode, Octets.of(Arrays.copyOfRange(octets, dataAt, length))));
  }

  private static DecodeOutcome routeRefresh(byte[] octets, int length, OctetReader from) {
    if (length != ROUTE_REFRESH_OCTETS) {
      // RFC 7313 §5: the whole message goes back as data.
      return new DecodeOutcome.SessionReset(
          new Notification(Notification.ROUTE_REFRESH_MESSAGE, 1, from.between(0, length)),
          "ROUTE-REFRESH of " + length + " octets",
          from.sample());
    }
    int afi = (octets[HEADER_OCTETS] & 0xff) << 8 | octets[HEADER_OCTETS + 1] & 0xff;
    AfiSafi family = new AfiSafi(afi, octets[HEADER_OCTETS + 3] & 0xff);
    return new DecodeOutcome.Accepted(new RouteRefresh(family, octets[HEADER_OCTETS + 2] & 0xff));
  }

  private static DecodeOutcome.SessionReset badLength(OctetReader from, String what) {
    return badLength(from.length(), what + " of " + from.length() + " octets", from.sample());
  }

  /// The erroneous length goes back as data (RFC 4271 §6.1).
  static DecodeOutcome.SessionReset badLength(int length, String problem, Octets sample) {
    return new DecodeOutcome.SessionReset(
        new Notification(
            Notification.MESSAGE_HEADER,
            2,
            Octets.of(new byte[] {(byte) (length >>> 8), (byte) length})),
        problem,
        sample);
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
}
