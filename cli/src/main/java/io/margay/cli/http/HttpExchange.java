package io.margay.cli.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.margay.agent.http.Answer;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.LastHttpContent;
import java.io.IOException;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One connection: a request at a time. Reading pauses while an answer is written.
final class HttpExchange extends SimpleChannelInboundHandler<HttpObject> {

  private static final Logger LOG = LoggerFactory.getLogger(HttpExchange.class);

  private final HttpServer.Handler handler;
  private @Nullable HttpRequest request;

  HttpExchange(HttpServer.Handler handler) {
    this.handler = handler;
  }

  @Override
  protected void channelRead0(ChannelHandlerContext context, HttpObject part) {
    if (part instanceof HttpRequest head) {
      request = head;
    }
    if (part instanceof LastHttpContent && request != null) {
      HttpRequest whole = request;
      request = null;
      context.channel().config().setAutoRead(false);
      Thread.ofVirtual().name("http-answer").start(() -> answer(context, whole));
    }
  }

  private void answer(ChannelHandlerContext context, HttpRequest asked) {
    boolean keepsAlive = HttpUtil.isKeepAlive(asked) && asked.decoderResult().isSuccess();
    HttpResponseStream out =
        new HttpResponseStream(
            context.channel(),
            asked.protocolVersion(),
            keepsAlive,
            HttpMethod.HEAD.equals(asked.method()));
    try {
      Answer answer = decide(asked);
      out.begin(answer.status(), answer.contentType());
      answer.body().writeTo(out);
      out.close();
      if (keepsAlive) {
        context.channel().config().setAutoRead(true);
      }
    } catch (IOException gone) {
      context.close(); // the reader left, or the answer broke off: it must not look complete
    } catch (RejectedExecutionException closed) {
      // The server was closed, and with it every connection.
    } catch (RuntimeException bug) {
      LOG.atError()
          .addKeyValue("target", asked.uri())
          .setCause(bug)
          .log("an HTTP answer failed; its connection is closed");
      fail(context, out);
    }
  }

  private Answer decide(HttpRequest asked) {
    if (asked.decoderResult().isFailure()) {
      return text(400, "not an HTTP request");
    }
    if (!HttpMethod.GET.equals(asked.method()) && !HttpMethod.HEAD.equals(asked.method())) {
      return text(405, "only GET and HEAD are answered here");
    }
    String accept = asked.headers().get(HttpHeaderNames.ACCEPT);
    return handler.answer(asked.uri(), accept == null ? "" : accept);
  }

  private static Answer text(int status, String what) {
    return new Answer(status, "text/plain", out -> out.write((what + "\n").getBytes(UTF_8)));
  }

  private static void fail(ChannelHandlerContext context, HttpResponseStream out) {
    try {
      if (!out.isCommitted()) {
        Answer answer = text(500, "a bug; the log has it");
        out.begin(answer.status(), answer.contentType());
        answer.body().writeTo(out);
        out.close();
      }
    } catch (IOException gone) {
      // Nobody is there to be told.
    }
    context.close();
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    context.close(); // a peer that went away or said nothing for too long
  }
}
