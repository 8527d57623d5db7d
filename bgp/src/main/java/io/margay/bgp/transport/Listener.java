package io.margay.bgp.transport;

import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.netty.channel.ChannelException;
import io.netty.channel.ChannelOption;
import io.netty.channel.epoll.EpollServerSocketChannel;
import java.io.IOException;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// One listening socket and what the kernel has been told about it. Lives on `bgp-io`.
final class Listener {

  /// A reflector's clients may all connect within one round trip.
  private static final int BACKLOG = 1024;

  private final ListenAddress address;
  private final EpollServerSocketChannel channel;
  private final Map<Prefix, Password> installed = new TreeMap<>();
  private ListenerSettings settings = ListenerSettings.NONE;

  /// A socket that is not bound yet, so that no SYN can come before its keys.
  ///
  /// @throws ChannelException when the kernel refuses an option
  Listener(ListenAddress address, ListenerSettings settings) {
    this.address = address;
    this.channel = new EpollServerSocketChannel(Sockets.protocol(address.family()));
    try {
      channel.config().setOption(ChannelOption.SO_REUSEADDR, true);
      channel.config().setOption(ChannelOption.SO_BACKLOG, BACKLOG);
      if (address.family() == IpFamily.IPV6) {
        SocketOptions.ipv6Only(channel);
      }
      InterfaceName device = address.device();
      if (device != null) {
        SocketOptions.bindToDevice(channel, device);
      }
      SocketOptions.markAsRouting(channel, address.family());
      apply(settings);
    } catch (ChannelException refused) {
      channel.unsafe().closeForcibly();
      throw refused;
    }
  }

  EpollServerSocketChannel channel() {
    return channel;
  }

  ListenAddress address() {
    return address;
  }

  /// Brings the kernel to these settings, writing only what differs. New keys come before old ones
  /// go.
  ///
  /// @throws ChannelException when the kernel refuses; what was written before it stays
  void apply(ListenerSettings wanted) {
    IpFamily family = address.family();
    wanted
        .keys()
        .forEach(
            (addresses, password) -> {
              if (!password.equals(installed.get(addresses))) {
                SocketOptions.setKey(channel, addresses, password);
                installed.put(addresses, password);
              }
            });
    installed
        .keySet()
        .removeIf(
            addresses -> {
              boolean gone = !wanted.keys().containsKey(addresses);
              if (gone) {
                SocketOptions.setKey(channel, addresses, null);
              }
              return gone;
            });
    SocketOptions.sendHops(channel, family, wanted.sentHops());
    SocketOptions.requireHops(channel, family, wanted.leastReceivedHops());
    settings = wanted;
  }

  ListenerSettings settings() {
    return settings;
  }

  /// What is wrong and how to put it right.
  static IOException cannotListen(ListenAddress address, @Nullable Throwable cause) {
    IpAddress ip = address.address();
    InterfaceName device = address.device();
    String why =
        switch (Sockets.error(cause)) {
          case Sockets.EADDRINUSE ->
              "another BGP speaker listens there; stop it, or choose another address or port";
          case Sockets.EADDRNOTAVAIL ->
              ip + " is not an address of this node" + (device == null ? "" : " on " + device);
          case Sockets.EACCES, Sockets.EPERM ->
              "not permitted; a port below 1024 needs CAP_NET_BIND_SERVICE";
          default -> Sockets.text(cause);
        };
    return new IOException("cannot listen for BGP on " + address + ": " + why, cause);
  }
}
