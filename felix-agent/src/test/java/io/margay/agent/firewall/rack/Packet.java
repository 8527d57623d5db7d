package io.margay.agent.firewall.rack;

import io.margay.model.net.IpAddress;

/// The first packet of a connection, or the first answer to it.
///
/// @param sourcePort the identifier, of an echo
/// @param destinationPort ignored by an echo
/// @param isReply whether it answers one with its ends the other way round
record Packet(
    IpAddress source,
    IpAddress destination,
    Transport transport,
    int sourcePort,
    int destinationPort,
    boolean isReply,
    int id)
    implements Datagram {

  @Override
  public int protocol() {
    return transport.number(family());
  }

  /// The same packet under another number.
  Packet again(int id) {
    return new Packet(source, destination, transport, sourcePort, destinationPort, isReply, id);
  }

  /// What the destination answers to it.
  Packet reply(int id) {
    IpAddress answerer = destination;
    IpAddress asker = source;
    return new Packet(
        answerer,
        asker,
        transport,
        transport.hasPorts() ? destinationPort : sourcePort,
        sourcePort,
        true,
        id);
  }
}
