package io.margay.bgp.speaker;

import io.margay.model.net.IpAddress;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnknownHostException;

/// Addresses as sockets want them. Never resolves names.
final class SocketAddresses {

  private SocketAddresses() {}

  static InetAddress inet(IpAddress address) {
    try {
      return InetAddress.getByAddress(address.toBytes());
    } catch (UnknownHostException impossible) {
      throw new IllegalStateException("4 or 16 octets are an address", impossible);
    }
  }

  static InetSocketAddress socket(IpAddress address, int port) {
    return new InetSocketAddress(inet(address), port);
  }

  /// The address of a connected socket's end.
  static IpAddress of(SocketAddress socket) {
    if (socket instanceof InetSocketAddress inet) {
      return IpAddress.of(inet.getAddress().getAddress());
    }
    throw new IllegalArgumentException(socket + " is not an internet address");
  }
}
