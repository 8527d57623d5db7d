package io.margay.cli.http;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;

/// The body of one answer. What fits one buffer goes with its length; a longer one goes in chunks,
/// each of which waits until the one before has left, so that a slow reader costs one buffer.
final class HttpResponseStream extends OutputStream {

  /// What is collected before something is sent.
  static final int BUFFER_OCTETS = 32 << 10;

  private final Channel channel;
  private final HttpVersion version;
  private final boolean keepsAlive;
  private final boolean headOnly;
  private ByteBuf buffer = Unpooled.EMPTY_BUFFER;
  private HttpResponse head = new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.OK);
  private boolean committed;

  HttpResponseStream(Channel channel, HttpVersion version, boolean keepsAlive, boolean headOnly) {
    this.channel = channel;
    this.version = version;
    this.keepsAlive = keepsAlive;
    this.headOnly = headOnly;
  }

  /// Starts the answer, instead of any that was started but not committed.
  void begin(int status, String contentType) {
    buffer = Unpooled.buffer(1024, Integer.MAX_VALUE);
    head = new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.valueOf(status));
    head.headers().set(HttpHeaderNames.CONTENT_TYPE, contentType);
  }

  /// Whether something has been sent.
  boolean isCommitted() {
    return committed;
  }

  @Override
  public void write(int octet) throws IOException {
    buffer.writeByte(octet);
    sendIfFull();
  }

  @Override
  public void write(byte[] octets, int offset, int length) throws IOException {
    buffer.writeBytes(octets, offset, length);
    sendIfFull();
  }

  private void sendIfFull() throws IOException {
    if (buffer.readableBytes() < BUFFER_OCTETS) {
      return;
    }
    commit();
    if (!headOnly) {
      await(channel.writeAndFlush(new DefaultHttpContent(buffer)));
    }
    buffer = Unpooled.buffer(BUFFER_OCTETS, Integer.MAX_VALUE);
  }

  private void commit() {
    if (committed) {
      return;
    }
    committed = true;
    if (version.equals(HttpVersion.HTTP_1_1)) {
      HttpUtil.setTransferEncodingChunked(head, true);
    }
    connection(head, keepsAlive && version.equals(HttpVersion.HTTP_1_1));
    channel.write(head);
  }

  private static void connection(HttpResponse response, boolean kept) {
    if (!kept) {
      response.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
    }
  }

  private static void await(ChannelFuture sent) throws IOException {
    try {
      sent.await();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while an answer was sent");
    }
    if (!sent.isSuccess()) {
      throw new IOException("the reader of an answer left", sent.cause());
    }
  }

  @Override
  public void close() throws IOException {
    ChannelFuture sent;
    if (committed) {
      if (!headOnly && buffer.isReadable()) {
        channel.write(new DefaultHttpContent(buffer));
      }
      sent = channel.writeAndFlush(LastHttpContent.EMPTY_LAST_CONTENT);
      closeUnlessKept(sent, keepsAlive && version.equals(HttpVersion.HTTP_1_1));
    } else {
      committed = true;
      DefaultFullHttpResponse whole =
          new DefaultFullHttpResponse(
              HttpVersion.HTTP_1_1, head.status(), headOnly ? Unpooled.EMPTY_BUFFER : buffer);
      whole.headers().set(head.headers());
      whole.headers().set(HttpHeaderNames.CONTENT_LENGTH, buffer.readableBytes());
      connection(whole, keepsAlive);
      sent = channel.writeAndFlush(whole);
      closeUnlessKept(sent, keepsAlive);
    }
    await(sent);
  }

  private static void closeUnlessKept(ChannelFuture sent, boolean kept) {
    if (!kept) {
      sent.addListener(ChannelFutureListener.CLOSE);
    }
  }
}
