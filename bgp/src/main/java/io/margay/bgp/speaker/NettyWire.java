package io.margay.bgp.speaker;

import io.margay.bgp.codec.CodecContext;
import io.margay.bgp.codec.DecodeOutcome;
import io.margay.bgp.codec.FrameDecoder;
import io.margay.bgp.codec.MessageEncoder;
import io.margay.bgp.message.Message;
import io.margay.bgp.message.Notification;
import io.margay.bgp.transport.Endpoints;
import io.margay.bgp.transport.Password;
import io.margay.bgp.transport.Transport;
import io.margay.bgp.transport.Ttl;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelException;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.socket.DuplexChannel;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// A connection of {@link Transport}. Lives on `bgp-io`.
final class NettyWire implements Wire {

  /// How long a peer may take to read our NOTIFICATION before the connection is torn down.
  private static final Duration LINGER = Duration.ofSeconds(1);

  private final Transport transport;
  private final Channel channel;
  private final Endpoints endpoints;
  private @Nullable Receiver receiver;
  private long handedOver;
  private boolean notified;

  NettyWire(Transport transport, Channel channel) {
    this.transport = transport;
    this.channel = channel;
    this.endpoints = Endpoints.of(channel);
  }

  @Override
  public void open(Receiver opened) {
    receiver = opened;
    channel
        .pipeline()
        .addLast(new Outbound(), new FrameDecoder(), new MessageEncoder(), new Inbound());
  }

  @Override
  public Endpoints endpoints() {
    return endpoints;
  }

  @Override
  public void use(CodecContext negotiated) {
    channel.pipeline().get(FrameDecoder.class).use(negotiated);
    channel.pipeline().get(MessageEncoder.class).use(negotiated);
  }

  @Override
  public void send(Message message) {
    notified = message instanceof Notification;
    channel.writeAndFlush(message);
  }

  @Override
  public void send(ByteBuf messages, Runnable written) {
    channel
        .writeAndFlush(messages)
        .addListener(
            done -> {
              if (done.isSuccess()) {
                written.run();
              }
            });
  }

  @Override
  public long unsentOctets() {
    ChannelOutboundBuffer waiting = channel.unsafe().outboundBuffer();
    if (waiting == null) {
      return 0;
    }
    long[] octets = new long[1];
    try {
      waiting.forEachFlushedMessage(
          message -> {
            octets[0] += message instanceof ByteBuf buffer ? buffer.readableBytes() : 0;
            return true;
          });
    } catch (Exception impossible) {
      throw new IllegalStateException("counting octets throws nothing", impossible);
    }
    return octets[0];
  }

  @Override
  public long sentOctets() {
    return handedOver - unsentOctets();
  }

  @Override
  public void pauseReading() {
    channel.config().setAutoRead(false);
  }

  @Override
  public void resumeReading() {
    channel.config().setAutoRead(true);
  }

  @Override
  public boolean isReading() {
    return channel.config().isAutoRead();
  }

  @Override
  public void ttl(Ttl ttl) {
    try {
      transport.adopt(channel, ttl);
    } catch (ChannelException refused) {
      BgpLog.socketRefuses(endpoints.remote(), "hop limit", refused);
    }
  }

  @Override
  public void password(@Nullable Password password) {
    try {
      transport.changeKey(channel, password);
    } catch (ChannelException refused) {
      BgpLog.socketRefuses(endpoints.remote(), "password", refused);
    }
  }

  @Override
  public void finish() {
    receiver = null;
    if (!notified || !(channel instanceof DuplexChannel duplex)) {
      channel.close();
      return;
    }
    channel.config().setAutoRead(true);
    // Behind what still waits for the peer: to shut down at once would throw that away, and the
    // NOTIFICATION with it.
    channel.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(_ -> duplex.shutdownOutput());
    channel.eventLoop().schedule(() -> channel.close(), LINGER.toMillis(), TimeUnit.MILLISECONDS);
  }

  @Override
  public void drop() {
    receiver = null;
    // RFC 9687 §4.2: what waits for a peer that takes nothing must not outlive the session.
    channel.config().setOption(ChannelOption.SO_LINGER, 0);
    channel.close();
  }

  /// Counts what is handed over, after encoding.
  private final class Outbound extends ChannelOutboundHandlerAdapter {
    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
      if (message instanceof ByteBuf buffer) {
        handedOver += buffer.readableBytes();
      }
      context.write(message, promise);
    }
  }

  /// The end of the pipeline. What arrives after the connection was closed here is not looked at.
  private final class Inbound extends ChannelInboundHandlerAdapter {

    private @Nullable Throwable cause;

    @Override
    public void channelRead(ChannelHandlerContext context, Object outcome) {
      Receiver to = receiver;
      if (to != null && outcome instanceof DecodeOutcome decoded) {
        to.received(decoded);
      }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
      Receiver to = receiver;
      if (to != null) {
        to.readComplete();
      }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
      Receiver to = receiver;
      receiver = null;
      if (to != null) {
        to.lost(text(cause));
      }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable thrown) {
      Receiver to = receiver;
      if (!(thrown instanceof IOException) && to != null) {
        to.failed(thrown);
      }
      cause = thrown;
      context.close();
    }
  }

  private static String text(@Nullable Throwable cause) {
    if (cause == null) {
      return "closed by the peer";
    }
    String message = cause.getMessage();
    return message == null ? cause.getClass().getSimpleName() : message;
  }
}
