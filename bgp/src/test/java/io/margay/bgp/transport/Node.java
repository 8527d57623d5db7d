package io.margay.bgp.transport;

import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.concurrent.Future;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/// A transport with one end's worth of test tools: adopts what arrives, keeps what it reads.
final class Node implements AutoCloseable {

  static final int PORT = 17917;
  private static final long DEADLINE_SECONDS = 45;
  private static final Duration PAUSE = Duration.ofMillis(20);

  final Transport transport = new Transport(this::accepted);
  private final BlockingQueue<Channel> arrivals = new LinkedBlockingQueue<>();
  private final Map<Channel, BlockingQueue<String>> received = new ConcurrentHashMap<>();
  volatile Ttl acceptedTtl = Ttl.multihop(64);

  /// In this namespace.
  Node() {}

  /// In another one: the loop makes every socket.
  Node(String namespace) {
    onLoop(
        () -> {
          Namespaces.enter(namespace);
          return true;
        });
  }

  private void accepted(Channel channel) {
    transport.adopt(channel, acceptedTtl);
    keep(channel);
    arrivals.add(channel);
  }

  private void keep(Channel channel) {
    BlockingQueue<String> queue = queue(channel);
    channel
        .pipeline()
        .addLast(
            new ChannelInboundHandlerAdapter() {
              @Override
              public void channelRead(ChannelHandlerContext context, Object message) {
                ByteBuf octets = (ByteBuf) message;
                queue.add(octets.toString(StandardCharsets.US_ASCII));
                octets.release();
              }

              @Override
              public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
                context.close();
              }
            });
  }

  <T> T onLoop(Callable<T> task) {
    return done(transport.loop().submit(task));
  }

  private static <T> T done(Future<T> future) {
    if (!future.awaitUninterruptibly(DEADLINE_SECONDS, TimeUnit.SECONDS)) {
      throw new AssertionError("not done after " + DEADLINE_SECONDS + " s");
    }
    if (!future.isSuccess()) {
      throw new AssertionError(future.cause().getMessage(), future.cause());
    }
    return future.getNow();
  }

  /// Unlike a peer's address, any listener's may name an interface.
  static ListenAddress listenAddress(String text, int port) {
    int percent = text.indexOf('%');
    return percent < 0
        ? new ListenAddress(IpAddress.parse(text), null, port)
        : new ListenAddress(
            IpAddress.parse(text.substring(0, percent)),
            new InterfaceName(text.substring(percent + 1)),
            port);
  }

  void listen(String... addresses) throws IOException {
    Set<ListenAddress> all = new LinkedHashSet<>();
    for (String address : addresses) {
      all.add(listenAddress(address, PORT));
    }
    transport.listen(all);
  }

  Map<ExpectedPeer, String> expect(ExpectedPeer... peers) {
    return onLoop(() -> transport.expect(List.of(peers)));
  }

  /// From the loop, which may be in another namespace than the test.
  Channel connect(Dial dial) {
    Channel channel = done(onLoop(() -> transport.connect(dial)));
    onLoop(
        () -> {
          keep(channel);
          return true;
        });
    return channel;
  }

  /// Why an attempt failed.
  String failure(Dial dial) {
    Future<Channel> attempt = onLoop(() -> transport.connect(dial));
    attempt.awaitUninterruptibly(DEADLINE_SECONDS, TimeUnit.SECONDS);
    Throwable cause = attempt.cause();
    return cause == null ? "none" : String.valueOf(cause.getMessage());
  }

  Channel arrival() throws InterruptedException {
    Channel channel = arrivals.poll(DEADLINE_SECONDS, TimeUnit.SECONDS);
    if (channel == null) {
      throw new AssertionError("nobody connects");
    }
    return channel;
  }

  static void send(Channel channel, String text) {
    channel.writeAndFlush(Unpooled.copiedBuffer(text, StandardCharsets.US_ASCII));
  }

  private BlockingQueue<String> queue(Channel channel) {
    return received.computeIfAbsent(channel, _ -> new LinkedBlockingQueue<>());
  }

  /// Reads until the text has come.
  void awaitText(Channel channel, String text) throws InterruptedException {
    StringBuilder read = new StringBuilder();
    while (read.length() < text.length()) {
      String more = queue(channel).poll(DEADLINE_SECONDS, TimeUnit.SECONDS);
      if (more == null) {
        throw new AssertionError("never came: \"" + text + "\"; read: \"" + read + "\"");
      }
      read.append(more);
    }
    if (!read.toString().equals(text)) {
      throw new AssertionError("\"" + read + "\" came instead of \"" + text + "\"");
    }
  }

  boolean hasRead(Channel channel) {
    return !queue(channel).isEmpty();
  }

  static void await(String what, BooleanSupplier condition) throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE_SECONDS);
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > end) {
        throw new AssertionError("never came: " + what);
      }
      Thread.sleep(PAUSE);
    }
  }

  /// A counter of TcpExt in the node's namespace.
  long counter(String name) {
    return onLoop(
        () -> {
          List<String> lines = Files.readAllLines(Path.of("/proc/thread-self/net/netstat"));
          List<String> names = List.of(lines.get(0).split(" "));
          return Long.parseLong(lines.get(1).split(" ")[names.indexOf(name)]);
        });
  }

  Md5Drops drops() {
    return onLoop(Md5Drops::read);
  }

  @Override
  public void close() {
    transport.stop(Duration.ZERO);
  }
}
