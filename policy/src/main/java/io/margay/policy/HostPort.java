package io.margay.policy;

import io.margay.model.net.IpAddress;
import io.margay.model.resource.EndpointPort;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A port of this node that leads to a port of an endpoint.
///
/// @param protocol IP protocol number
/// @param hostIp the node's address; null = all
/// @param hostPort 1 to 65535
/// @param port of the endpoint, 1 to 65535
public record HostPort(int protocol, @Nullable IpAddress hostIp, int hostPort, int port) {

  /// Empty for a port without host port, or with a host address that is none.
  static Optional<HostPort> of(EndpointPort port) {
    Integer hostPort = port.hostPort();
    if (hostPort == null || hostPort == 0) {
      return Optional.empty();
    }
    String text = port.hostIP() == null ? "" : port.hostIP();
    try {
      return Optional.of(
          new HostPort(port.protocol().number(), address(text), hostPort, port.port()));
    } catch (IllegalArgumentException notAnAddress) {
      return Optional.empty();
    }
  }

  private static @Nullable IpAddress address(String text) {
    return switch (text) {
      case "", "0.0.0.0", "::" -> null;
      default -> IpAddress.parse(text);
    };
  }
}
