package io.margay.bgp.codec;

import io.margay.bgp.message.AfiSafi;
import io.margay.bgp.message.Capability;
import io.margay.bgp.message.Notification;
import io.margay.bgp.message.Octets;
import io.margay.bgp.message.Open;
import io.margay.model.net.Asn;
import io.margay.model.net.RouterId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/// The OPEN and its capabilities (RFC 4271 §4.2, RFC 5492, RFC 9072).
final class OpenCodec {

  private static final int VERSION = 4;
  private static final int NONE = -1;
  private static final int PARAMETER_CAPABILITIES = 2;
  private static final int PARAMETER_EXTENDED = 255;
  private static final int MAX_PARAMETER_OCTETS = 255;

  private static final int MULTI_PROTOCOL = 1;
  private static final int ROUTE_REFRESH = 2;
  private static final int EXTENDED_NEXT_HOP = 5;
  private static final int GRACEFUL_RESTART = 64;
  private static final int FOUR_OCTET_AS = 65;
  private static final int ADD_PATH = 69;

  /// Flags of add-path (RFC 7911 §4).
  private static final int RECEIVE = 1;

  private static final int SEND = 2;

  /// Flags of graceful restart (RFC 4724 §3, RFC 8538 §2).
  private static final int RESTARTING = 0x8000;

  private static final int NOTIFICATION = 0x4000;
  private static final int FORWARDING = 0x80;

  private OpenCodec() {}

  /// @param from stands behind the header of a message with room for the fixed fields
  static DecodeOutcome decode(OctetReader from) {
    try {
      int version = from.u8();
      if (version != VERSION) {
        return refuse(1, Octets.of(new byte[] {0, VERSION}), "version " + version, from);
      }
      Asn asn = new Asn(from.u16());
      Duration holdTime = Duration.ofSeconds(from.u16());
      int routerId = from.u32();
      List<Capability> capabilities = new ArrayList<>();
      int unknown = readParameters(from, capabilities);
      if (unknown != NONE) {
        return refuse(4, Octets.EMPTY, "optional parameter " + unknown + " is unknown", from);
      }
      if (routerId == 0) {
        return refuse(3, Octets.EMPTY, "BGP identifier 0.0.0.0", from);
      }
      boolean zero = asn.toLong() == 0;
      for (Capability capability : capabilities) {
        if (capability instanceof Capability.FourOctetAs(Asn whole)) {
          asn = whole;
        }
      }
      if (zero || asn.toLong() == 0) {
        // RFC 7607 §2: AS 0 in an OPEN is a bad peer AS.
        return refuse(2, Octets.EMPTY, "AS 0", from);
      }
      return new DecodeOutcome.Accepted(
          new Open(asn, holdTime, new RouterId(routerId), capabilities));
    } catch (MalformedAttribute malformed) {
      return refuse(0, Octets.EMPTY, "OPEN: " + malformed.problem(), from);
    }
  }

  /// @return the type of a parameter that is unknown, else {@link #NONE}
  private static int readParameters(OctetReader from, List<Capability> into)
      throws MalformedAttribute {
    int length = from.u8();
    boolean extended = false;
    if (length == PARAMETER_EXTENDED && !from.hasMore()) {
      throw new MalformedAttribute("optional parameters of 255 octets are missing");
    }
    if (length != 0 && from.hasMore()) {
      int back = from.position();
      if (from.u8() == PARAMETER_EXTENDED) {
        // RFC 9072 §2: type 255 tells the long form, whatever the short length was; then the true
        // length in two octets.
        extended = true;
        length = from.u16();
      } else {
        from.position(back);
      }
    }
    if (from.remaining() != length) {
      throw new MalformedAttribute(
          "optional parameters of " + length + " octets in " + from.remaining());
    }
    while (from.hasMore()) {
      int type = from.u8();
      int octets = extended ? from.u16() : from.u8();
      int outer = from.enter(octets);
      if (type != PARAMETER_CAPABILITIES) {
        return type;
      }
      while (from.hasMore()) {
        int code = from.u8();
        int size = from.u8();
        int parameter = from.enter(size);
        into.add(readCapability(code, from));
        from.leave(parameter);
      }
      from.leave(outer);
    }
    return NONE;
  }

  /// Reads what lies within the limit. A known capability of an impossible length is as good as an
  /// unknown one.
  private static Capability readCapability(int code, OctetReader from) throws MalformedAttribute {
    int length = from.remaining();
    if (code == MULTI_PROTOCOL && length == 4) {
      int afi = from.u16();
      from.skip(1);
      return new Capability.MultiProtocol(new AfiSafi(afi, from.u8()));
    }
    if (code == ROUTE_REFRESH && length == 0) {
      return new Capability.RouteRefreshing();
    }
    if (code == FOUR_OCTET_AS && length == 4) {
      return new Capability.FourOctetAs(new Asn(from.u32()));
    }
    if (code == GRACEFUL_RESTART && length >= 2 && (length - 2) % 4 == 0) {
      return readGracefulRestart(from);
    }
    if (code == EXTENDED_NEXT_HOP && length > 0 && length % 6 == 0) {
      return readExtendedNextHop(from);
    }
    if (code == ADD_PATH && length > 0 && length % 4 == 0) {
      return readAddPath(from);
    }
    return new Capability.Unknown(code, from.copy(length));
  }

  private static Capability readGracefulRestart(OctetReader from) throws MalformedAttribute {
    int flagsAndTime = from.u16();
    List<Capability.GracefulRestart.Kept> kept = new ArrayList<>();
    while (from.hasMore()) {
      AfiSafi family = new AfiSafi(from.u16(), from.u8());
      kept.add(new Capability.GracefulRestart.Kept(family, (from.u8() & FORWARDING) != 0));
    }
    return new Capability.GracefulRestart(
        (flagsAndTime & RESTARTING) != 0,
        (flagsAndTime & NOTIFICATION) != 0,
        Duration.ofSeconds(flagsAndTime & Capability.GracefulRestart.MAX_RESTART_SECONDS),
        kept);
  }

  private static Capability readExtendedNextHop(OctetReader from) throws MalformedAttribute {
    List<Capability.ExtendedNextHop.Encoding> encodings = new ArrayList<>();
    while (from.hasMore()) {
      // RFC 8950 §4: the SAFI has two octets here.
      int afi = from.u16();
      int safi = from.u16();
      int hop = from.u16();
      if (safi <= 0xff) {
        encodings.add(new Capability.ExtendedNextHop.Encoding(new AfiSafi(afi, safi), hop));
      }
    }
    return new Capability.ExtendedNextHop(encodings);
  }

  private static Capability readAddPath(OctetReader from) throws MalformedAttribute {
    List<Capability.AddPath.Family> families = new ArrayList<>();
    while (from.hasMore()) {
      AfiSafi family = new AfiSafi(from.u16(), from.u8());
      int ways = from.u8();
      // RFC 7911 §4: other values are as good as nothing said of the family.
      if (ways >= RECEIVE && ways <= (RECEIVE | SEND)) {
        families.add(
            new Capability.AddPath.Family(family, (ways & RECEIVE) != 0, (ways & SEND) != 0));
      }
    }
    return new Capability.AddPath(families);
  }

  static void encode(Open open, OctetWriter to) {
    to.u8(VERSION);
    to.u16((open.asn().isTwoOctet() ? open.asn() : Asn.TRANS).value());
    to.u16((int) open.holdTime().toSeconds());
    to.u32(open.routerId().value());
    if (open.capabilities().isEmpty()) {
      to.u8(0);
      return;
    }
    OctetWriter capabilities = new OctetWriter(128);
    for (Capability capability : open.capabilities()) {
      writeCapability(capability, capabilities);
    }
    int octets = capabilities.size();
    // RFC 9072 §2: the extended form only where the short one does not do, for the sake of those
    // who do not know it.
    if (octets + 2 > MAX_PARAMETER_OCTETS) {
      to.u8(PARAMETER_EXTENDED);
      to.u8(PARAMETER_EXTENDED);
      to.u16(octets + 3);
      to.u8(PARAMETER_CAPABILITIES);
      to.u16(octets);
    } else {
      to.u8(octets + 2);
      to.u8(PARAMETER_CAPABILITIES);
      to.u8(octets);
    }
    to.bytes(capabilities);
  }

  private static void writeCapability(Capability capability, OctetWriter to) {
    switch (capability) {
      case Capability.MultiProtocol(AfiSafi family) -> {
        to.u8(MULTI_PROTOCOL);
        to.u8(4);
        to.u16(family.afi());
        to.u8(0);
        to.u8(family.safi());
      }
      case Capability.RouteRefreshing() -> {
        to.u8(ROUTE_REFRESH);
        to.u8(0);
      }
      case Capability.ExtendedNextHop(List<Capability.ExtendedNextHop.Encoding> encodings) -> {
        to.u8(EXTENDED_NEXT_HOP);
        to.u8(6 * encodings.size());
        for (Capability.ExtendedNextHop.Encoding one : encodings) {
          to.u16(one.family().afi());
          to.u16(one.family().safi());
          to.u16(one.nextHopAfi());
        }
      }
      case Capability.FourOctetAs(Asn asn) -> {
        to.u8(FOUR_OCTET_AS);
        to.u8(4);
        to.u32(asn.value());
      }
      case Capability.AddPath(List<Capability.AddPath.Family> families) -> {
        to.u8(ADD_PATH);
        to.u8(4 * families.size());
        for (Capability.AddPath.Family one : families) {
          to.u16(one.family().afi());
          to.u8(one.family().safi());
          to.u8((one.receive() ? RECEIVE : 0) | (one.send() ? SEND : 0));
        }
      }
      case Capability.GracefulRestart restart -> {
        to.u8(GRACEFUL_RESTART);
        to.u8(2 + 4 * restart.families().size());
        to.u16(
            (int) restart.restartTime().toSeconds()
                | (restart.restarting() ? RESTARTING : 0)
                | (restart.notification() ? NOTIFICATION : 0));
        for (Capability.GracefulRestart.Kept kept : restart.families()) {
          to.u16(kept.family().afi());
          to.u8(kept.family().safi());
          to.u8(kept.forwarding() ? FORWARDING : 0);
        }
      }
      case Capability.Unknown(int code, Octets value) -> {
        to.u8(code);
        to.u8(value.length());
        to.bytes(value.toBytes());
      }
    }
  }

  private static DecodeOutcome refuse(int subcode, Octets data, String problem, OctetReader from) {
    return new DecodeOutcome.SessionReset(
        new Notification(Notification.OPEN_MESSAGE, subcode, data), problem, from.sample());
  }
}
