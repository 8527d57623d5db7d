package io.margay.bgp.codec;

import io.margay.bgp.message.Notification;
import io.margay.bgp.message.Octets;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import java.util.List;

/// Cuts a stream into messages and reads them: octets in, {@link DecodeOutcome} out. After a {@link
/// DecodeOutcome.SessionReset} the rest of the stream is thrown away.
public final class FrameDecoder extends ByteToMessageDecoder {

  private static final long ALL_ONES = -1;

  private CodecContext context = CodecContext.INITIAL;

  /// The message being read; its own array because the stream's is not always one.
  private final byte[] message = new byte[MessageCodec.MAX_MESSAGE_OCTETS];

  private boolean dead;

  /// What the OPENs agreed on; messages after this call are read so. On the channel's loop only.
  public void use(CodecContext negotiated) {
    context = negotiated;
  }

  @Override
  protected void decode(ChannelHandlerContext channel, ByteBuf in, List<Object> out) {
    if (dead) {
      in.skipBytes(in.readableBytes());
      return;
    }
    if (in.readableBytes() < MessageCodec.HEADER_OCTETS) {
      return;
    }
    int start = in.readerIndex();
    if (in.getLong(start) != ALL_ONES || in.getLong(start + Long.BYTES) != ALL_ONES) {
      reset(
          in,
          out,
          new DecodeOutcome.SessionReset(
              Notification.of(Notification.MESSAGE_HEADER, 1),
              "marker is not all ones",
              sample(in)));
      return;
    }
    int length = in.getUnsignedShort(start + MessageCodec.MARKER_OCTETS);
    if (length < MessageCodec.HEADER_OCTETS || length > MessageCodec.MAX_MESSAGE_OCTETS) {
      reset(in, out, MessageCodec.badLength(length, "message length " + length, sample(in)));
      return;
    }
    if (in.readableBytes() < length) {
      return;
    }
    in.readBytes(message, 0, length);
    DecodeOutcome outcome = MessageCodec.decode(message, length, context);
    if (outcome instanceof DecodeOutcome.SessionReset) {
      reset(in, out, outcome);
    } else {
      out.add(outcome);
    }
  }

  /// What has arrived so far of something that is no message.
  private static Octets sample(ByteBuf in) {
    byte[] octets =
        new byte[Math.min(in.readableBytes(), DecodeOutcome.Malformed.MAX_SAMPLE_OCTETS)];
    in.getBytes(in.readerIndex(), octets);
    return Octets.of(octets);
  }

  private void reset(ByteBuf in, List<Object> out, DecodeOutcome outcome) {
    dead = true;
    in.skipBytes(in.readableBytes());
    out.add(outcome);
  }
}
