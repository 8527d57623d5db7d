package io.margay.bgp.bfd;

import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelException;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.epoll.EpollDatagramChannel;
import io.netty.channel.socket.DatagramPacket;
import io.netty.channel.socket.SocketProtocolFamily;
import java.net.InetSocketAddress;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Where control packets of one family and one distance arrive, for all sessions. The kernel drops
/// what has come too far.
final class ControlPort {

  /// RFC 5881 §4.
  static final int SINGLE_HOP = 3784;

  /// RFC 5883 §5.
  static final int MULTIHOP = 4784;

  /// A control packet with the longest authentication section there is: its length is one octet.
  private static final int MAX_OCTETS = 255;

  /// Hears every datagram; the octets are gone when it returns.
  @FunctionalInterface
  interface Receiver {
    void received(ControlPort port, InetSocketAddress sender, ByteBuf octets);
  }

  private final IpFamily family;
  private final boolean multihop;
  private final EventLoop loop;
  private final Receiver receiver;
  private @Nullable Channel channel;

  ControlPort(IpFamily family, boolean multihop, EventLoop loop, Receiver receiver) {
    this.family = family;
    this.multihop = multihop;
    this.loop = loop;
    this.receiver = receiver;
  }

  static int number(boolean multihop) {
    return multihop ? MULTIHOP : SINGLE_HOP;
  }

  boolean isMultihop() {
    return multihop;
  }

  boolean isOpen() {
    return channel != null;
  }

  /// Listens for these peers, or changes what is demanded of their packets.
  ///
  /// @return why that is impossible; absent: it is done
  @Nullable String listen(Collection<BfdPeer> peers) {
    try {
      Channel open = channel;
      if (open == null) {
        open = bind(peers);
        channel = open;
        BfdLog.listening(this);
      } else {
        demandHops(open, peers);
      }
      return null;
    } catch (ChannelException refused) {
      return ControlSocket.text(refused);
    }
  }

  private Channel bind(Collection<BfdPeer> peers) {
    ChannelFuture binding =
        new Bootstrap()
            .group(loop)
            .channelFactory(() -> prepared(peers))
            .option(
                ChannelOption.RECVBUF_ALLOCATOR, new FixedRecvByteBufAllocator(MAX_OCTETS))
            .handler(new Inbound())
            .register();
    // On the loop's own thread both are done when they return.
    binding.channel().bind(new InetSocketAddress(ControlSocket.any(family), number(multihop)));
    Channel bound = binding.channel();
    if (!bound.isActive()) {
      bound.close();
      throw new ChannelException("UDP port " + number(multihop) + " is in use");
    }
    return bound;
  }

  private EpollDatagramChannel prepared(Collection<BfdPeer> peers) {
    EpollDatagramChannel made = new EpollDatagramChannel(ControlSocket.protocol(family));
    DatagramOptions.prepareToReceive(made, family);
    demandHops(made, peers);
    return made;
  }

  /// RFC 5881 §5: single-hop packets with less than 255 are dropped. RFC 5883 §4 leaves the bound
  /// of the others to configuration.
  private void demandHops(Channel open, Collection<BfdPeer> peers) {
    int least = DatagramOptions.HOPS;
    for (BfdPeer peer : peers) {
      least = Math.min(least, leastHops(peer));
    }
    Map<IpAddress, Integer> exceptions = new HashMap<>();
    for (BfdPeer peer : peers) {
      if (leastHops(peer) > least) {
        exceptions.put(peer.peer().address(), leastHops(peer));
      }
    }
    DatagramOptions.filter(open, HopFilter.atLeast(family, least, exceptions));
  }

  private static int leastHops(BfdPeer peer) {
    return switch (peer.hops()) {
      case BfdPeer.Hops.Single() -> DatagramOptions.HOPS;
      case BfdPeer.Hops.Multi(int minTtl) -> minTtl;
    };
  }

  void close() {
    Channel open = channel;
    if (open != null) {
      channel = null;
      open.close();
    }
  }

  @Override
  public String toString() {
    return "UDP " + number(multihop) + " " + family;
  }

  private final class Inbound extends SimpleChannelInboundHandler<DatagramPacket> {

    @Override
    protected void channelRead0(ChannelHandlerContext context, DatagramPacket datagram) {
      receiver.received(ControlPort.this, datagram.sender(), datagram.content());
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable bug) {
      BfdLog.failed(bug);
    }
  }
}
