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

  private CodecContext context = CodecContext.INITIAL;
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
    for (int i = 0; i < MessageCodec.MARKER_OCTETS; i++) {
      if (in.getByte(start + i) != (byte) 0xff) {
        reset(
            in,
            out,
            new DecodeOutcome.SessionReset(
                Notification.of(Notification.MESSAGE_HEADER, 1),
                "marker is not all ones",
                Octets.EMPTY));
        return;
      }
    }
    int length = in.getUnsignedShort(start + MessageCodec.MARKER_OCTETS);
    if (length < MessageCodec.HEADER_OCTETS || length > MessageCodec.MAX_MESSAGE_OCTETS) {
      reset(in, out, MessageCodec.badLength(length, "message length " + length));
      return;
    }
    if (in.readableBytes() < length) {
      return;
    }
    DecodeOutcome outcome = MessageCodec.decode(in.readSlice(length), context);
    if (outcome instanceof DecodeOutcome.SessionReset) {
      reset(in, out, outcome);
    } else {
      out.add(outcome);
    }
  }

  private void reset(ByteBuf in, List<Object> out, DecodeOutcome outcome) {
    dead = true;
    in.skipBytes(in.readableBytes());
    out.add(outcome);
  }
}
