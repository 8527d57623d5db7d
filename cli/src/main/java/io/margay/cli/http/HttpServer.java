package io.margay.cli.http;

import io.margay.agent.http.Answer;
import io.margay.model.net.IpAddress;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.timeout.ReadTimeoutHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/// Answers GET requests over TCP or a Unix socket.
///
/// One event loop of its own, so that nobody who asks delays a session; each answer is written on a
/// virtual thread, because it may have to wait for the speaker or for a slow reader.
public final class HttpServer implements AutoCloseable {

  /// Answers a request.
  @FunctionalInterface
  public interface Handler {
    /// @param target path and query as sent: `/api/v1/bgp/peers?family=ipv4`
    /// @param accept the Accept header; empty if there was none
    Answer answer(String target, String accept);
  }

  /// Connections at one time; more are closed at once.
  static final int MAX_CONNECTIONS = 64;

  /// How long a connection may say nothing.
  static final Duration IDLE_TIMEOUT = Duration.ofSeconds(60);

  private static final int MAX_LINE_OCTETS = 4096;
  private static final int MAX_HEADER_OCTETS = 8192;
  private static final Duration STOP_TIMEOUT = Duration.ofSeconds(1);

  private final HttpAddress address;
  private final MultiThreadIoEventLoopGroup group;

  private HttpServer(HttpAddress address, MultiThreadIoEventLoopGroup group) {
    this.address = address;
    this.group = group;
  }

  /// Listens in the network namespace of the process. A socket file that a dead process left is
  /// replaced; its directory is made.
  ///
  /// @throws IOException one line: the address can't be taken, and why
  public static HttpServer start(HttpAddress address, Handler handler) throws IOException {
    MultiThreadIoEventLoopGroup group =
        new MultiThreadIoEventLoopGroup(
            1, new DefaultThreadFactory("http", true), EpollIoHandler.newFactory());
    AtomicInteger open = new AtomicInteger();
    ServerBootstrap bootstrap =
        new ServerBootstrap()
            .group(group)
            .childOption(ChannelOption.AUTO_READ, true)
            .childHandler(
                new ChannelInitializer<Channel>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    if (open.incrementAndGet() > MAX_CONNECTIONS) {
                      open.decrementAndGet();
                      channel.close();
                      return;
                    }
                    channel.closeFuture().addListener(_ -> open.decrementAndGet());
                    channel
                        .pipeline()
                        .addLast(new ReadTimeoutHandler(IDLE_TIMEOUT.toSeconds(), TimeUnit.SECONDS))
                        .addLast(
                            new HttpServerCodec(
                                new HttpDecoderConfig()
                                    .setMaxInitialLineLength(MAX_LINE_OCTETS)
                                    .setMaxHeaderSize(MAX_HEADER_OCTETS)))
                        .addLast(new HttpExchange(handler));
                  }
                });
    SocketAddress at =
        switch (address) {
          case HttpAddress.Tcp(IpAddress host, int port) -> {
            bootstrap
                .channel(EpollServerSocketChannel.class)
                .option(ChannelOption.SO_REUSEADDR, true);
            yield new InetSocketAddress(InetAddress.getByAddress(host.toBytes()), port);
          }
          case HttpAddress.Unix(Path path) -> {
            bootstrap.channel(EpollServerDomainSocketChannel.class);
            makeRoom(path, group);
            yield new DomainSocketAddress(path.toFile());
          }
        };
    ChannelFuture bound = bootstrap.bind(at).awaitUninterruptibly();
    if (!bound.isSuccess()) {
      stop(group);
      throw new IOException(
          "cannot serve HTTP on " + address + ": is another process there?", bound.cause());
    }
    return new HttpServer(address, group);
  }

  /// Removes a socket file that nobody listens at.
  private static void makeRoom(Path path, MultiThreadIoEventLoopGroup group) throws IOException {
    Path directory = path.toAbsolutePath().getParent();
    try {
      if (directory != null) {
        Files.createDirectories(directory);
      }
      if (Files.exists(path)) {
        if (HttpClient.listens(path)) {
          throw new IOException("another process listens there");
        }
        Files.delete(path);
      }
    } catch (IOException refused) {
      stop(group);
      throw new IOException(
          "cannot serve HTTP on " + HttpAddress.SCHEME + path + ": " + refused.getMessage(),
          refused);
    }
  }

  /// Where it listens.
  public HttpAddress address() {
    return address;
  }

  /// Stops listening and closes all connections.
  @Override
  public void close() {
    stop(group);
    if (address instanceof HttpAddress.Unix(Path path)) {
      try {
        Files.deleteIfExists(path);
      } catch (IOException _) {
        // A dead socket file: the next process replaces it.
      }
    }
  }

  private static void stop(MultiThreadIoEventLoopGroup group) {
    group
        .shutdownGracefully(0, STOP_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
        .awaitUninterruptibly(STOP_TIMEOUT.toMillis());
  }
}
