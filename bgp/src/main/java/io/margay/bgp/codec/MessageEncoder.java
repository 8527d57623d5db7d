package io.margay.bgp.codec;

import io.margay.bgp.message.Message;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.MessageToByteEncoder;

/// Messages in, octets out.
public final class MessageEncoder extends MessageToByteEncoder<Message> {

  private CodecContext context = CodecContext.INITIAL;

  public MessageEncoder() {
    super(Message.class);
  }

  /// What the OPENs agreed on; messages after this call are written so. On the channel's loop only.
  public void use(CodecContext negotiated) {
    context = negotiated;
  }

  @Override
  protected void encode(ChannelHandlerContext channel, Message message, ByteBuf to) {
    MessageCodec.encode(message, to, context);
  }
}
