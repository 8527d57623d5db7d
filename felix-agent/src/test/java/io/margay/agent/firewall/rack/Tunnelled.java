package io.margay.agent.firewall.rack;

import io.margay.model.net.IpAddress;

/// A packet in another (RFC 2003); it has the number of the one in it.
///
/// @param inner of IPv4
record Tunnelled(IpAddress source, IpAddress destination, Packet inner) implements Datagram {

  static final int IPIP = 4;

  @Override
  public int id() {
    return inner.id();
  }

  @Override
  public int protocol() {
    return IPIP;
  }
}
