package io.margay.bgp.speaker;

import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.socket.SocketProtocolFamily;
import io.netty.channel.unix.IntegerUnixChannelOption;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Sockets: the `bgp-io` loop, the listeners and outgoing connections. Epoll, because only it knows
/// TCP MD5.
final class Transport {

  /// How long a connection attempt may take; shorter than the kernel's own limit, so that a wrong
  /// MD5 key, which shows as silence, is tried again soon.
  static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);

  private static final Duration STOP_TIMEOUT = Duration.ofSeconds(3);
  private static final int BACKLOG = 128;

  // linux/in.h, linux/in6.h
  private static final IntegerUnixChannelOption IP_TTL =
      new IntegerUnixChannelOption("IP_TTL", 0, 2);
  private static final IntegerUnixChannelOption IPV6_UNICAST_HOPS =
      new IntegerUnixChannelOption("IPV6_UNICAST_HOPS", 41, 16);
  private static final IntegerUnixChannelOption IPV6_V6ONLY =
      new IntegerUnixChannelOption("IPV6_V6ONLY", 41, 26);

  private record Listener(IpFamily family, Channel channel) {}

  private final MultiThreadIoEventLoopGroup group =
      new MultiThreadIoEventLoopGroup(
          1, new DefaultThreadFactory("bgp-io", true), EpollIoHandler.newFactory());
  private final EventLoop loop = group.next();
  private final List<Listener> listeners = new ArrayList<>();

  EventLoop loop() {
    return loop;
  }

  /// @param accepted called on the loop with each connection
  void listen(Collection<IpAddress> addresses, int port, Consumer<Channel> accepted)
      throws IOException {
    for (IpAddress address : addresses) {
      IpFamily family = address.family();
      ServerBootstrap bootstrap =
          new ServerBootstrap()
              .group(group)
              .channelFactory(() -> new EpollServerSocketChannel(protocol(family)))
              .option(ChannelOption.SO_REUSEADDR, true)
              .option(ChannelOption.SO_BACKLOG, BACKLOG)
              .childHandler(
                  new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                      channel.pipeline().addLast(new Accepted(accepted));
                    }
                  });
      if (family == IpFamily.IPV6) {
        bootstrap.option(IPV6_V6ONLY, 1);
      }
      ChannelFuture bound =
          bootstrap.bind(SocketAddresses.socket(address, port)).awaitUninterruptibly();
      if (!bound.isSuccess()) {
        throw new IOException(
            "cannot listen for BGP on "
                + address
                + " port "
                + port
                + ": is the address on this node, and no other BGP speaker running?",
            bound.cause());
      }
      listeners.add(new Listener(family, bound.channel()));
      BgpLog.listening(address, port);
    }
  }

  /// Hands a connection over once it can be written to.
  private static final class Accepted extends ChannelInboundHandlerAdapter {
    private final Consumer<Channel> accepted;

    Accepted(Consumer<Channel> accepted) {
      this.accepted = accepted;
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
      context.pipeline().remove(this);
      accepted.accept(context.channel());
    }
  }

  /// Puts the MD5 keys of these peers, and no others, on the listeners: a SYN is checked before
  /// anything else.
  void setKeys(Collection<PeerConfig> peers) {
    for (Listener listener : listeners) {
      Map<InetAddress, byte[]> keys = new HashMap<>();
      for (PeerConfig peer : peers) {
        Password password = peer.password();
        if (password != null && peer.address().family() == listener.family()) {
          keys.put(SocketAddresses.inet(peer.address()), password.toBytes());
        }
      }
      listener.channel().config().setOption(EpollChannelOption.TCP_MD5SIG, keys);
    }
  }

  ChannelFuture connect(PeerConfig peer) {
    IpFamily family = peer.address().family();
    Bootstrap bootstrap =
        new Bootstrap()
            .group(group)
            .channelFactory(() -> new EpollSocketChannel(protocol(family)))
            .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int) CONNECT_TIMEOUT.toMillis())
            .option(ChannelOption.TCP_NODELAY, true)
            .option(ttlOption(family), peer.ttl())
            .handler(new ChannelInboundHandlerAdapter());
    Password password = peer.password();
    if (password != null) {
      bootstrap.option(
          EpollChannelOption.TCP_MD5SIG,
          Map.of(SocketAddresses.inet(peer.address()), password.toBytes()));
    }
    @Nullable IpAddress local = peer.localAddress();
    if (local != null) {
      bootstrap.localAddress(SocketAddresses.socket(local, 0));
    }
    return bootstrap.connect(SocketAddresses.socket(peer.address(), peer.port()));
  }

  /// Sets what an accepted connection could not inherit from its listener.
  static void configureAccepted(Channel channel, PeerConfig peer) {
    channel.config().setOption(ttlOption(peer.address().family()), peer.ttl());
    channel.config().setOption(ChannelOption.TCP_NODELAY, true);
  }

  private static IntegerUnixChannelOption ttlOption(IpFamily family) {
    return switch (family) {
      case IPV4 -> IP_TTL;
      case IPV6 -> IPV6_UNICAST_HOPS;
    };
  }

  private static SocketProtocolFamily protocol(IpFamily family) {
    return switch (family) {
      case IPV4 -> SocketProtocolFamily.INET;
      case IPV6 -> SocketProtocolFamily.INET6;
    };
  }

  void stopListening() {
    for (Listener listener : listeners) {
      listener.channel().close().awaitUninterruptibly();
    }
  }

  /// Waits, for a bounded time, until what was sent has left.
  void stop(Duration linger) {
    stopListening();
    group
        .shutdownGracefully(linger.toMillis(), STOP_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
        .awaitUninterruptibly(STOP_TIMEOUT.toMillis());
  }
}
