package io.margay.linux.nft;

import io.margay.linux.nft.NftExpr.CtState;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/// One whole packet as rules see it: its headers and what the kernel knows beside them.
///
/// @param protocol IP protocol number; of IPv6 that of the upper layer
/// @param transport what the header after the network header says
/// @param ctState bits of [CtState]
/// @param incoming the interface it came by, null if the node itself sent it
/// @param outgoing the interface it leaves by, null while it is not routed
/// @param isForNode whether its destination is an address of the node
/// @param original the ends of its connection before translation; null if they are its own
public record NftPacket(
    IpAddress source,
    IpAddress destination,
    int protocol,
    Transport transport,
    int ctState,
    @Nullable InterfaceName incoming,
    @Nullable InterfaceName outgoing,
    boolean isForNode,
    @Nullable Ends original) {

  /// Of the TCP flags, SYN alone.
  public static final int SYN = 0x02;

  public static final int ICMP = 1;
  public static final int TCP = 6;
  public static final int UDP = 17;
  public static final int ICMPV6 = 58;
  public static final int SCTP = 132;
  private static final int UDP_LITE = 136;

  private static final int IPV4_HEADER_OCTETS = 20;
  private static final int IPV6_HEADER_OCTETS = 40;
  private static final int TCP_HEADER_OCTETS = 20;
  private static final int ICMP_HEADER_OCTETS = 8;
  private static final int SCTP_HEADER_OCTETS = 12;
  private static final int UDP_HEADER_OCTETS = 8;
  private static final int HOPS = 64;

  public NftPacket {
    if (source.family() != destination.family()) {
      throw new IllegalArgumentException(
          "a packet from " + source + " to " + destination + " is of no address family");
    }
  }

  /// Both ends of a connection.
  ///
  /// @param sourcePort 0 for protocols without ports
  /// @param destinationPort 0 for protocols without ports
  public record Ends(
      IpAddress source, int sourcePort, IpAddress destination, int destinationPort) {}

  /// What follows the network header.
  public sealed interface Transport {}

  /// @param flags as in the header: FIN 1, SYN 2, RST 4, PSH 8, ACK 16
  public record Tcp(int sourcePort, int destinationPort, int flags) implements Transport {}

  /// Any other protocol with ports where TCP has them: UDP, UDPLite, SCTP, DCCP.
  public record Ports(int sourcePort, int destinationPort) implements Transport {}

  /// ICMP or ICMPv6.
  public record Icmp(int type, int code) implements Transport {}

  /// A protocol of which rules read nothing; reading on ends a rule.
  public record Opaque() implements Transport {}

  /// The first packet of a connection, by no interface yet.
  public static NftPacket of(
      IpAddress source, IpAddress destination, int protocol, Transport transport) {
    return new NftPacket(
        source, destination, protocol, transport, CtState.NEW, null, null, false, null);
  }

  /// The packet that begins a connection of a protocol between two ports.
  public static NftPacket opening(
      int protocol, IpAddress source, int sourcePort, IpAddress destination, int destinationPort) {
    Transport transport =
        switch (protocol) {
          case TCP -> new Tcp(sourcePort, destinationPort, SYN);
          case UDP, SCTP, UDP_LITE -> new Ports(sourcePort, destinationPort);
          default -> new Opaque();
        };
    return of(source, destination, protocol, transport);
  }

  /// An ICMP packet, or ICMPv6 by the family of the addresses.
  public static NftPacket icmp(IpAddress source, IpAddress destination, int type, int code) {
    int protocol =
        switch (source.family()) {
          case IPV4 -> ICMP;
          case IPV6 -> ICMPV6;
        };
    return of(source, destination, protocol, new Icmp(type, code));
  }

  public IpFamily family() {
    return source.family();
  }

  public NftPacket withCtState(int states) {
    return new NftPacket(
        source, destination, protocol, transport, states, incoming, outgoing, isForNode, original);
  }

  public NftPacket withIncoming(@Nullable InterfaceName name) {
    return new NftPacket(
        source, destination, protocol, transport, ctState, name, outgoing, isForNode, original);
  }

  public NftPacket withOutgoing(@Nullable InterfaceName name) {
    return new NftPacket(
        source, destination, protocol, transport, ctState, incoming, name, isForNode, original);
  }

  public NftPacket withForNode(boolean forNode) {
    return new NftPacket(
        source, destination, protocol, transport, ctState, incoming, outgoing, forNode, original);
  }

  /// The same, led elsewhere.
  NftPacket withDestination(IpAddress address, int port) {
    Transport led =
        switch (transport) {
          case Tcp(int from, int _, int flags) -> new Tcp(from, port, flags);
          case Ports(int from, int _) -> new Ports(from, port);
          case Icmp _, Opaque _ -> transport;
        };
    return new NftPacket(
        source, address, protocol, led, ctState, incoming, outgoing, isForNode, connection());
  }

  /// The ends of its connection before translation.
  public Ends connection() {
    if (original != null) {
      return original;
    }
    return switch (transport) {
      case Tcp(int from, int to, int _) -> new Ends(source, from, destination, to);
      case Ports(int from, int to) -> new Ends(source, from, destination, to);
      case Icmp _, Opaque _ -> new Ends(source, 0, destination, 0);
    };
  }

  /// Whether its destination was translated.
  public boolean isRedirected() {
    return original != null
        && !original.equals(
            new NftPacket(
                    source, destination, protocol, transport, ctState, null, null, false, null)
                .connection());
  }

  public boolean isTracked() {
    return (ctState & CtState.UNTRACKED) == 0;
  }

  /// The network header, without options or extensions.
  byte[] networkHeader() {
    return switch (family()) {
      case IPV4 ->
          ByteBuffer.allocate(IPV4_HEADER_OCTETS)
              .put((byte) 0x45)
              .put((byte) 0)
              .putShort((short) (IPV4_HEADER_OCTETS + transportHeader().length))
              .putInt(0)
              .put((byte) HOPS)
              .put((byte) protocol)
              .putShort((short) 0)
              .put(source.toBytes())
              .put(destination.toBytes())
              .array();
      case IPV6 ->
          ByteBuffer.allocate(IPV6_HEADER_OCTETS)
              .putInt(0x60000000)
              .putShort((short) transportHeader().length)
              .put((byte) protocol)
              .put((byte) HOPS)
              .put(source.toBytes())
              .put(destination.toBytes())
              .array();
    };
  }

  /// What follows it, as far as rules may read: empty where the protocol is none they know.
  byte[] transportHeader() {
    return switch (transport) {
      case Tcp(int from, int to, int flags) ->
          ports(TCP_HEADER_OCTETS, from, to).put(12, (byte) 0x50).put(13, (byte) flags).array();
      case Ports(int from, int to) when protocol == SCTP ->
          ports(SCTP_HEADER_OCTETS, from, to).array();
      case Ports(int from, int to) ->
          ports(UDP_HEADER_OCTETS, from, to).putShort(4, (short) UDP_HEADER_OCTETS).array();
      case Icmp(int type, int code) ->
          ByteBuffer.allocate(ICMP_HEADER_OCTETS).put(0, (byte) type).put(1, (byte) code).array();
      case Opaque() -> new byte[0];
    };
  }

  private static ByteBuffer ports(int octets, int from, int to) {
    return ByteBuffer.allocate(octets).putShort(0, (short) from).putShort(2, (short) to);
  }
}
