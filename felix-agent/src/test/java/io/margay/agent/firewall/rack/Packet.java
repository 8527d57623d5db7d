package io.margay.agent.firewall.rack;

import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;

/// One packet that carries its own number, by which its receiver knows it.
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
    int id) {

  IpFamily family() {
    return source.family();
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
