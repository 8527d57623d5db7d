package io.margay.policy.oracle;

import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import org.jspecify.annotations.Nullable;

/// The first packet of a connection, as policy sees it: after DNAT, before SNAT.
///
/// @param source where it comes from
/// @param destination where it goes
/// @param protocol IP protocol number
/// @param sourcePort 0 for protocols without ports
/// @param destinationPort 0 for protocols without ports
/// @param icmp of protocols 1 and 58 only
public record Flow(
    IpAddress source,
    IpAddress destination,
    int protocol,
    int sourcePort,
    int destinationPort,
    @Nullable Icmp icmp) {

  /// An ICMP or ICMPv6 message's type and code.
  public record Icmp(int type, int code) {}

  public Flow {
    if (source.family() != destination.family()) {
      throw new IllegalArgumentException(
          "no packet goes from " + source + " to " + destination + ": the families differ");
    }
  }

  public static Flow tcp(IpAddress source, IpAddress destination, int destinationPort) {
    return new Flow(source, destination, 6, EPHEMERAL_PORT, destinationPort, null);
  }

  public static Flow udp(IpAddress source, IpAddress destination, int destinationPort) {
    return new Flow(source, destination, 17, EPHEMERAL_PORT, destinationPort, null);
  }

  /// An echo request of the addresses' family.
  public static Flow ping(IpAddress source, IpAddress destination) {
    return source.family() == IpFamily.IPV4
        ? new Flow(source, destination, 1, 0, 0, new Icmp(8, 0))
        : new Flow(source, destination, 58, 0, 0, new Icmp(128, 0));
  }

  /// The source port where a caller doesn't care.
  public static final int EPHEMERAL_PORT = 40_000;

  public IpFamily family() {
    return source.family();
  }
}
