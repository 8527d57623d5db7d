package io.margay.bgp.transport;

import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.netty.channel.ChannelException;
import io.netty.channel.ChannelOption;
import io.netty.channel.epoll.EpollServerSocketChannel;
import java.io.IOException;
import java.util.HashMap;
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
  private final Map<Prefix, ChannelException> refused = new TreeMap<>();
  private ListenerSettings settings = ListenerSettings.NONE;

  /// A socket that is not bound yet, so that no SYN can come before its keys.
  ///
  /// @throws ChannelException when the kernel refuses an option, but not for a key
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
  /// go. A key that the kernel refuses holds up nothing else: it is among the {@link #refused()},
  /// and tried again by the next call.
  ///
  /// @throws ChannelException when the kernel refuses hop limits; what was written before it stays
  void apply(ListenerSettings wanted) {
    IpFamily family = address.family();
    install(wanted.keys());
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
    if (!refused.isEmpty()) {
      // Those that went may have made room.
      install(wanted.keys());
    }
    SocketOptions.sendHops(channel, family, wanted.sentHops());
    SocketOptions.requireHops(channel, family, wanted.leastReceivedHops());
    settings = wanted;
  }

  private void install(Map<Prefix, Password> keys) {
    refused.clear();
    keys.forEach(
        (addresses, password) -> {
          if (!password.equals(installed.get(addresses))) {
            try {
              SocketOptions.setKey(channel, addresses, password);
              installed.put(addresses, password);
            } catch (ChannelException problem) {
              refused.put(addresses, problem);
            }
          }
        });
  }

  ListenerSettings settings() {
    return settings;
  }

  /// Ranges whose key the kernel did not take, and why.
  Map<Prefix, ChannelException> refused() {
    return new HashMap<>(refused);
  }

  /// Whether a connection has been through the check of its key. Without the key on the socket the
  /// kernel lets in who signs nothing, or with the key of a wider range.
  boolean isChecked(IpAddress from) {
    Prefix narrowest = null;
    for (Prefix addresses : settings.keys().keySet()) {
      if (addresses.contains(from)
          && (narrowest == null || addresses.length() > narrowest.length())) {
        narrowest = addresses;
      }
    }
    return narrowest == null || !refused.containsKey(narrowest);
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
