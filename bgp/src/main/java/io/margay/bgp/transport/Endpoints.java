package io.margay.bgp.transport;

import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.ScopedAddress;
import io.netty.channel.Channel;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import org.jspecify.annotations.Nullable;

/// Both ends of a connection. Link-local addresses carry the interface the connection runs on, so
/// `remote` is what identifies the peer.
///
/// @param local our end
/// @param remote the peer's end
public record Endpoints(ScopedAddress local, int localPort, ScopedAddress remote, int remotePort) {

  /// The ends of a connected channel of {@link Transport}.
  ///
  /// @throws IllegalArgumentException when it is not connected
  public static Endpoints of(Channel channel) {
    InetSocketAddress local = inet(channel.localAddress());
    InetSocketAddress remote = inet(channel.remoteAddress());
    return new Endpoints(
        scoped(local, channel), local.getPort(), scoped(remote, channel), remote.getPort());
  }

  private static InetSocketAddress inet(@Nullable SocketAddress address) {
    if (address instanceof InetSocketAddress inet) {
      return inet;
    }
    throw new IllegalArgumentException(address + " is not an end of a TCP connection");
  }

  private static ScopedAddress scoped(InetSocketAddress end, Channel channel) {
    IpAddress address = IpAddress.of(end.getAddress().getAddress());
    if (address.family() == IpFamily.IPV6 && address.isLinkLocal()) {
      @Nullable InterfaceName device = SocketOptions.device(channel);
      return new ScopedAddress(address, device);
    }
    return ScopedAddress.of(address);
  }
}
