package io.margay.bgp.bfd;

import io.margay.model.net.IpFamily;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelException;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.EventLoop;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.epoll.EpollDatagramChannel;
import io.netty.channel.socket.DatagramPacket;
import java.net.InetSocketAddress;
import java.util.Collection;
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
        DatagramOptions.filter(open, HopFilter.of(family, peers));
      }
      return null;
    } catch (ChannelException refused) {
      return ControlSocket.text(refused);
    }
  }

  private Channel bind(Collection<BfdPeer> peers) {
    EpollDatagramChannel made = new EpollDatagramChannel(ControlSocket.protocol(family));
    try {
      made.config().setRecvByteBufAllocator(new FixedRecvByteBufAllocator(MAX_OCTETS));
      made.pipeline().addLast(new Inbound());
      // Before the first datagram can come.
      DatagramOptions.prepareToReceive(made, family);
      DatagramOptions.filter(made, HopFilter.of(family, peers));
      // On the loop's own thread both are done when they return.
      loop.register(made);
      ChannelFuture bound =
          made.bind(new InetSocketAddress(ControlSocket.any(family), number(multihop)));
      if (!bound.isSuccess()) {
        throw new ChannelException(ControlSocket.text(bound.cause()), bound.cause());
      }
      return made;
    } catch (RuntimeException | Error refused) {
      made.unsafe().closeForcibly();
      throw refused;
    }
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
