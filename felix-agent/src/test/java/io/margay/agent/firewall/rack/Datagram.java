package io.margay.agent.firewall.rack;

import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;

/// What ends send each other: one packet, known to its receiver by the number it ends with.
sealed interface Datagram permits Packet, StraySegment, IcmpError, LinkMessage, Tunnelled {

  /// The default of RFC 1700.
  int HOP_LIMIT = 64;

  IpAddress source();

  IpAddress destination();

  int id();

  /// As the header has it.
  int protocol();

  default int hopLimit() {
    return HOP_LIMIT;
  }

  default IpFamily family() {
    return source().family();
  }
}
