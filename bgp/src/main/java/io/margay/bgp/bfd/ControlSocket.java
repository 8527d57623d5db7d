package io.margay.bgp.bfd;

import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelException;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoop;
import io.netty.channel.epoll.EpollDatagramChannel;
import io.netty.channel.socket.DatagramPacket;
import io.netty.channel.socket.SocketProtocolFamily;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.net.UnknownHostException;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// What one session sends from: a socket of its own, because all packets of a session leave from
/// one source port that no other session has (RFC 5881 §4).
final class ControlSocket {

  /// "The source port MUST be in the range 49152 through 65535" (RFC 5881 §4).
  private static final int FIRST_PORT = 49152;

  private static final int PORTS = 65536 - FIRST_PORT;

  /// How many source ports are tried: with a thousand sessions, seventeen busy ones in a row do not
  /// happen.
  private static final int ATTEMPTS = 17;

  private final Channel channel;
  private final InetSocketAddress remote;

  private ControlSocket(Channel channel, InetSocketAddress remote) {
    this.channel = channel;
    this.remote = remote;
  }

  /// Opens a socket towards a peer. For the loop's own thread.
  ///
  /// @throws ChannelException when the interface or the local address is not there, or the kernel
  ///   refuses
  static ControlSocket open(BfdPeer peer, EventLoop loop, RandomGenerator random) {
    InterfaceName scope = peer.peer().scope();
    int index = scope == null ? 0 : indexOf(scope);
    IpFamily family = peer.peer().family();
    IpAddress local = peer.local();
    InetAddress from = local == null ? any(family) : inet(local, local.isLinkLocal() ? index : 0);
    boolean multihop = peer.hops() instanceof BfdPeer.Hops.Multi;
    InetSocketAddress remote =
        new InetSocketAddress(inet(peer.peer().address(), index), ControlPort.number(multihop));
    Throwable refused = null;
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      EpollDatagramChannel made = new EpollDatagramChannel(protocol(family));
      made.config().setAutoRead(false);
      made.pipeline().addLast(new Quiet());
      loop.register(made);
      DatagramOptions.prepareToSend(made, family);
      int port = FIRST_PORT + random.nextInt(PORTS);
      ChannelFuture bound = made.bind(new InetSocketAddress(from, port));
      if (bound.isSuccess()) {
        return new ControlSocket(made, remote);
      }
      refused = bound.cause();
      made.close();
    }
    throw new ChannelException(
        "no socket on " + from.getHostAddress() + ": " + text(refused), refused);
  }

  /// Takes the octets. The future is done when this returns, unless the socket's buffer is full.
  ChannelFuture send(ByteBuf octets) {
    return channel.writeAndFlush(new DatagramPacket(octets, remote));
  }

  ByteBuf buffer(int octets) {
    return channel.alloc().directBuffer(octets, octets);
  }

  /// Whether it sends to where a datagram came from. A link-local address is the same on every
  /// link, so its interface counts too.
  boolean isTowards(InetSocketAddress sender) {
    return remote.getAddress().equals(sender.getAddress()) && scope(remote) == scope(sender);
  }

  private static int scope(InetSocketAddress of) {
    return of.getAddress() instanceof Inet6Address six ? six.getScopeId() : 0;
  }

  void close() {
    channel.close();
  }

  private static int indexOf(InterfaceName name) {
    try {
      NetworkInterface found = NetworkInterface.getByName(name.value());
      if (found != null) {
        return found.getIndex();
      }
    } catch (SocketException unreadable) {
      throw new ChannelException("cannot look up interface " + name, unreadable);
    }
    throw new ChannelException("there is no interface " + name);
  }

  static SocketProtocolFamily protocol(IpFamily family) {
    return switch (family) {
      case IPV4 -> SocketProtocolFamily.INET;
      case IPV6 -> SocketProtocolFamily.INET6;
    };
  }

  static InetAddress any(IpFamily family) {
    return switch (family) {
      case IPV4 -> inet(IpAddress.parse("0.0.0.0"), 0);
      case IPV6 -> inet(IpAddress.parse("::"), 0);
    };
  }

  private static InetAddress inet(IpAddress address, int scopeIndex) {
    try {
      return switch (address.family()) {
        case IPV4 -> InetAddress.getByAddress(address.toBytes());
        case IPV6 -> Inet6Address.getByAddress(null, address.toBytes(), scopeIndex);
      };
    } catch (UnknownHostException impossible) {
      throw new IllegalStateException("4 or 16 octets are an address", impossible);
    }
  }

  static String text(@Nullable Throwable failure) {
    String message = failure == null ? null : failure.getMessage();
    return message == null ? String.valueOf(failure) : message;
  }

  /// Nothing is read here, and failures to send are in the future of each packet.
  private static final class Quiet extends ChannelInboundHandlerAdapter {}
}
