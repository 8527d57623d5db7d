package io.margay.agent.firewall.rack;

import io.margay.model.net.IpAddress;

/// An acknowledgement with data far beyond the window of its connection.
///
/// @param of gives it its ends and its number
record StraySegment(Packet of) implements Datagram {

  StraySegment {
    if (of.transport() != Transport.TCP) {
      throw new IllegalArgumentException(of + " is no segment");
    }
  }

  @Override
  public IpAddress source() {
    return of.source();
  }

  @Override
  public IpAddress destination() {
    return of.destination();
  }

  @Override
  public int id() {
    return of.id();
  }

  @Override
  public int protocol() {
    return of.protocol();
  }
}
