package io.margay.agent.firewall.rack;

import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;

/// What somebody on a packet's way says of it (RFC 792, RFC 4443). It ends with the packet, so it
/// has its number.
///
/// @param source who says it
/// @param quoted the packet as it is said to have been
record IcmpError(IpAddress source, IpAddress destination, Kind kind, Packet quoted)
    implements Datagram {

  /// What became of the packet.
  enum Kind {
    PORT_UNREACHABLE(3, 3, 1, 4),
    TOO_BIG(3, 4, 2, 0),
    TIME_EXCEEDED(11, 0, 3, 0);

    private final int type;
    private final int code;
    private final int typeV6;
    private final int codeV6;

    Kind(int type, int code, int typeV6, int codeV6) {
      this.type = type;
      this.code = code;
      this.typeV6 = typeV6;
      this.codeV6 = codeV6;
    }

    int type(IpFamily family) {
      return family == IpFamily.IPV4 ? type : typeV6;
    }

    int code(IpFamily family) {
      return family == IpFamily.IPV4 ? code : codeV6;
    }
  }

  /// Told to the sender of the packet, as it should be.
  static IcmpError of(IpAddress source, Kind kind, Packet quoted) {
    return new IcmpError(source, quoted.source(), kind, quoted);
  }

  @Override
  public int id() {
    return quoted.id();
  }

  @Override
  public int protocol() {
    return Transport.ICMP.number(family());
  }
}
