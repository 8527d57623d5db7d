package io.margay.policy;

import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;

/// One member of an address set.
public sealed interface SetMember {

  /// An address or, from a network set, a prefix.
  record Net(Prefix prefix) implements SetMember {}

  /// A named port resolved on one endpoint, or a port of a service's endpoint.
  ///
  /// @param address the endpoint's address
  /// @param protocol IP protocol number: 6 TCP, 17 UDP, 132 SCTP
  /// @param port 1 to 65535
  record NamedPort(IpAddress address, int protocol, int port) implements SetMember {}
}
