package io.margay.agent.firewall;

import io.margay.linux.conntrack.Connection;
import io.margay.linux.nft.NftExpr.CtState;
import io.margay.linux.nft.NftPacket;
import io.margay.model.net.IpAddress;

/// All that rules can tell connections by: those of one kind fare alike.
///
/// @param sourcePort 0 where no rule asks for it
/// @param destination whom the first packet was sent to
/// @param answerer where it was led
/// @param isPickedUp whether nobody knows which end began it; it then has its source port
public record FlowKind(
    IpAddress source,
    int sourcePort,
    IpAddress destination,
    int destinationPort,
    IpAddress answerer,
    int answererPort,
    int protocol,
    int icmpType,
    int icmpCode,
    boolean isPickedUp) {

  /// @param bySourcePort whether a rule may ask for the source port
  public static FlowKind of(Connection connection, boolean bySourcePort) {
    return new FlowKind(
        connection.source(),
        bySourcePort || connection.isPickedUp() ? connection.sourcePort() : 0,
        connection.destination(),
        connection.destinationPort(),
        connection.answerer(),
        connection.answererPort(),
        connection.protocol(),
        connection.icmpType(),
        connection.icmpCode(),
        connection.isPickedUp());
  }

  /// Whether its destination was translated.
  boolean isLed() {
    return !destination.equals(answerer) || destinationPort != answererPort;
  }

  /// As if the other end had begun it. What was led elsewhere can have begun at one end only.
  FlowKind reversed() {
    return new FlowKind(
        answerer, answererPort, source, sourcePort, source, sourcePort, protocol, 0, 0, isPickedUp);
  }

  /// The first packet as it came, by no interface yet.
  NftPacket asSent() {
    return packet(destination, destinationPort);
  }

  /// The first packet after its destination was translated, and before its source is.
  NftPacket asLed() {
    NftPacket led = packet(answerer, answererPort);
    return isLed()
        ? new NftPacket(
            led.source(),
            led.destination(),
            led.protocol(),
            led.transport(),
            CtState.NEW,
            null,
            null,
            false,
            asSent().connection())
        : led;
  }

  private NftPacket packet(IpAddress to, int port) {
    return protocol == NftPacket.ICMP || protocol == NftPacket.ICMPV6
        ? NftPacket.icmp(source, to, icmpType, icmpCode)
        : NftPacket.opening(protocol, source, sourcePort, to, port);
  }
}
