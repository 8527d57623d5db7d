package io.margay.bgp.codec;

import io.margay.bgp.message.AfiSafi;
import io.margay.bgp.message.Capability;
import io.margay.bgp.message.Notification;
import io.margay.bgp.message.Octets;
import io.margay.bgp.message.Open;
import io.margay.model.net.Asn;
import io.margay.model.net.RouterId;
import io.netty.buffer.ByteBuf;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The OPEN and its capabilities (RFC 4271 §4.2, RFC 5492, RFC 9072).
final class OpenCodec {

  private static final int VERSION = 4;
  private static final int FIXED_OCTETS = 10;
  private static final int PARAMETER_CAPABILITIES = 2;
  private static final int PARAMETER_EXTENDED = 255;
  private static final int MAX_PARAMETER_OCTETS = 255;

  private static final int MULTI_PROTOCOL = 1;
  private static final int ROUTE_REFRESH = 2;
  private static final int GRACEFUL_RESTART = 64;
  private static final int FOUR_OCTET_AS = 65;

  private static final int RESTARTING = 0x8000;
  private static final int FORWARDING = 0x80;

  private OpenCodec() {}

  static DecodeOutcome decode(ByteBuf body) {
    if (body.readableBytes() < FIXED_OCTETS) {
      return refuse(0, Octets.EMPTY, "OPEN is shorter than its fixed fields");
    }
    int version = body.readUnsignedByte();
    if (version != VERSION) {
      return refuse(1, Octets.of(new byte[] {0, VERSION}), "version " + version);
    }
    Asn asn = new Asn(body.readUnsignedShort());
    Duration holdTime = Duration.ofSeconds(body.readUnsignedShort());
    int routerId = body.readInt();
    List<Capability> capabilities = new ArrayList<>();
    DecodeOutcome malformed = readParameters(body, capabilities).orElse(null);
    if (malformed != null) {
      return malformed;
    }
    if (routerId == 0) {
      return refuse(3, Octets.EMPTY, "BGP identifier 0.0.0.0");
    }
    for (Capability capability : capabilities) {
      if (capability instanceof Capability.FourOctetAs(Asn whole)) {
        asn = whole;
      }
    }
    if (asn.toLong() == 0) {
      // RFC 7607 §2: AS 0 in an OPEN is a bad peer AS.
      return refuse(2, Octets.EMPTY, "AS 0");
    }
    return new DecodeOutcome.Accepted(
        new Open(asn, holdTime, new RouterId(routerId), capabilities));
  }

  /// Empty when all is well.
  private static Optional<DecodeOutcome> readParameters(ByteBuf body, List<Capability> into) {
    int length = body.readUnsignedByte();
    boolean extended =
        length == PARAMETER_EXTENDED
            && body.isReadable()
            && body.getUnsignedByte(body.readerIndex()) == PARAMETER_EXTENDED;
    if (extended) {
      // RFC 9072 §2: 255 twice, then the true length in two octets.
      if (body.readableBytes() < 3) {
        return Optional.of(refuse(0, Octets.EMPTY, "extended optional parameters are cut short"));
      }
      length = body.skipBytes(1).readUnsignedShort();
    }
    if (body.readableBytes() != length) {
      return Optional.of(
          refuse(
              0,
              Octets.EMPTY,
              "optional parameters of " + length + " octets in " + body.readableBytes()));
    }
    int header = extended ? 3 : 2;
    while (body.isReadable()) {
      if (body.readableBytes() < header) {
        return Optional.of(refuse(0, Octets.EMPTY, "optional parameter is cut short"));
      }
      int type = body.readUnsignedByte();
      int octets = extended ? body.readUnsignedShort() : body.readUnsignedByte();
      if (body.readableBytes() < octets) {
        return Optional.of(refuse(0, Octets.EMPTY, "optional parameter overruns the OPEN"));
      }
      ByteBuf value = body.readSlice(octets);
      if (type != PARAMETER_CAPABILITIES) {
        return Optional.of(refuse(4, Octets.EMPTY, "optional parameter " + type + " is unknown"));
      }
      while (value.isReadable()) {
        if (value.readableBytes() < 2) {
          return Optional.of(refuse(0, Octets.EMPTY, "capability is cut short"));
        }
        int code = value.readUnsignedByte();
        int size = value.readUnsignedByte();
        if (value.readableBytes() < size) {
          return Optional.of(refuse(0, Octets.EMPTY, "capability overruns its parameter"));
        }
        into.add(readCapability(code, value.readSlice(size)));
      }
    }
    return Optional.empty();
  }

  /// A known capability of an impossible length is as good as an unknown one.
  private static Capability readCapability(int code, ByteBuf value) {
    int length = value.readableBytes();
    if (code == MULTI_PROTOCOL && length == 4) {
      int afi = value.readUnsignedShort();
      return new Capability.MultiProtocol(new AfiSafi(afi, value.skipBytes(1).readUnsignedByte()));
    }
    if (code == ROUTE_REFRESH && length == 0) {
      return new Capability.RouteRefreshing();
    }
    if (code == FOUR_OCTET_AS && length == 4) {
      return new Capability.FourOctetAs(new Asn(value.readInt()));
    }
    if (code == GRACEFUL_RESTART && length >= 2 && (length - 2) % 4 == 0) {
      int flagsAndTime = value.readUnsignedShort();
      List<Capability.GracefulRestart.Kept> kept = new ArrayList<>();
      while (value.isReadable()) {
        AfiSafi family = new AfiSafi(value.readUnsignedShort(), value.readUnsignedByte());
        boolean forwarding = (value.readUnsignedByte() & FORWARDING) != 0;
        kept.add(new Capability.GracefulRestart.Kept(family, forwarding));
      }
      return new Capability.GracefulRestart(
          (flagsAndTime & RESTARTING) != 0,
          Duration.ofSeconds(flagsAndTime & Capability.GracefulRestart.MAX_RESTART_SECONDS),
          kept);
    }
    byte[] bytes = new byte[length];
    value.readBytes(bytes);
    return new Capability.Unknown(code, Octets.of(bytes));
  }

  static void encode(Open open, ByteBuf to) {
    to.writeByte(VERSION);
    to.writeShort((open.asn().isTwoOctet() ? open.asn() : Asn.TRANS).value());
    to.writeShort((int) open.holdTime().toSeconds());
    to.writeInt(open.routerId().value());
    if (open.capabilities().isEmpty()) {
      to.writeByte(0);
      return;
    }
    int start = to.writerIndex();
    to.writeByte(0).writeByte(PARAMETER_CAPABILITIES).writeByte(0);
    for (Capability capability : open.capabilities()) {
      writeCapability(capability, to);
    }
    int octets = to.writerIndex() - start - 3;
    if (octets > MAX_PARAMETER_OCTETS - 2) {
      throw new IllegalArgumentException(
          "capabilities of " + octets + " octets do not fit an OPEN");
    }
    to.setByte(start, octets + 2);
    to.setByte(start + 2, octets);
  }

  private static void writeCapability(Capability capability, ByteBuf to) {
    switch (capability) {
      case Capability.MultiProtocol(AfiSafi family) -> {
        to.writeByte(MULTI_PROTOCOL).writeByte(4);
        to.writeShort(family.afi()).writeByte(0).writeByte(family.safi());
      }
      case Capability.RouteRefreshing() -> to.writeByte(ROUTE_REFRESH).writeByte(0);
      case Capability.FourOctetAs(Asn asn) ->
          to.writeByte(FOUR_OCTET_AS).writeByte(4).writeInt(asn.value());
      case Capability.GracefulRestart restart -> {
        to.writeByte(GRACEFUL_RESTART).writeByte(2 + 4 * restart.families().size());
        to.writeShort(
            (int) restart.restartTime().toSeconds() | (restart.restarting() ? RESTARTING : 0));
        for (Capability.GracefulRestart.Kept kept : restart.families()) {
          to.writeShort(kept.family().afi()).writeByte(kept.family().safi());
          to.writeByte(kept.forwarding() ? FORWARDING : 0);
        }
      }
      case Capability.Unknown(int code, Octets value) ->
          to.writeByte(code).writeByte(value.length()).writeBytes(value.toBytes());
    }
  }

  private static DecodeOutcome refuse(int subcode, Octets data, String problem) {
    return new DecodeOutcome.SessionReset(
        new Notification(Notification.OPEN_MESSAGE, subcode, data), problem);
  }
}
