package io.margay.bgp.transport;

import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.ScopedAddress;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelException;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.ConnectTimeoutException;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.Promise;
import java.io.IOException;
import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Sockets for BGP: the `bgp-io` loop, listeners and outgoing connections. Epoll, because only it
/// lets us set the kernel's options for MD5 and hop limits.
///
/// Listeners and expected peers are desired state: each call names all of them, and only what
/// differs from before reaches the kernel. Connections outlive their listener.
///
/// Loop: `bgp-io` writes all state. {@link #listen} and {@link #stop} wait for it, so they are for
/// other threads; {@link #expect} is for the loop alone.
public final class Transport {

  private static final Duration STOP_TIMEOUT = Duration.ofSeconds(3);

  /*
   * What a hitless change of a key rests on. The kernel keeps keys per socket. A connection gets
   * the listener's key for its peer's address when it is accepted and keeps it, so a change on the
   * listener alone breaks nothing, and `changeKey` changes the connection. Until the peer follows,
   * each end drops the other's segments unseen and TCP repeats them, at intervals that double from
   * 200 ms. So the session lives if the peer follows within half its hold time: the repetition that
   * gets through comes no later than after as long again as the gap lasted.
   */

  private final MultiThreadIoEventLoopGroup group =
      new MultiThreadIoEventLoopGroup(
          1, new DefaultThreadFactory("bgp-io", true), EpollIoHandler.newFactory());
  private final EventLoop loop = group.next();
  private final Consumer<Channel> accepted;
  private final Map<ListenAddress, Listener> listeners = new LinkedHashMap<>();
  private List<ExpectedPeer> expected = List.of();

  /// Starts the loop; listens nowhere yet.
  ///
  /// @param accepted called on the loop with each connection, before anything is read from it.
  ///   {@link Endpoints} tells who it is; the callee either closes it or calls {@link #adopt}
  public Transport(Consumer<Channel> accepted) {
    this.accepted = accepted;
  }

  /// The thread of everything here.
  public EventLoop loop() {
    return loop;
  }

  /// Listens on these addresses and no others. Sockets belong to the network namespace of the
  /// process.
  ///
  /// @return peers whose key a listener was refused by the kernel, as {@link #expect}
  /// @throws IOException when one cannot be listened on, saying why; then everything is as before
  public Map<ExpectedPeer, String> listen(Set<ListenAddress> desired) throws IOException {
    Set<ListenAddress> before = onLoop(() -> new LinkedHashSet<>(listeners.keySet()));
    try {
      bring(desired);
    } catch (IOException refused) {
      try {
        bring(before);
      } catch (IOException alsoRefused) {
        refused.addSuppressed(alsoRefused);
      }
      throw refused;
    }
    return onLoop(this::refusedKeys);
  }

  private void bring(Set<ListenAddress> desired) throws IOException {
    Map<Listener, ChannelFuture> binding = onLoop(() -> beginBinding(desired));
    IOException problem = null;
    for (Map.Entry<Listener, ChannelFuture> entry : binding.entrySet()) {
      ListenAddress address = entry.getKey().address();
      ChannelFuture bound = entry.getValue().awaitUninterruptibly();
      if (bound.isSuccess()) {
        TransportLog.listening(address);
      } else {
        problem = Listener.cannotListen(address, bound.cause());
        onLoop(() -> listeners.remove(address, entry.getKey()));
      }
    }
    if (problem != null) {
      throw problem;
    }
  }

  // What goes is closed first: 10.0.0.1 cannot be bound beside 0.0.0.0.
  private Map<Listener, ChannelFuture> beginBinding(Set<ListenAddress> desired) throws IOException {
    listeners
        .values()
        .removeIf(
            listener -> {
              boolean gone = !desired.contains(listener.address());
              if (gone) {
                listener.channel().close();
                TransportLog.listensNoMore(listener.address());
              }
              return gone;
            });
    Map<Listener, ChannelFuture> binding = new LinkedHashMap<>();
    for (ListenAddress address : desired) {
      if (!listeners.containsKey(address)) {
        Listener listener = open(address);
        listeners.put(address, listener);
        binding.put(listener, bind(listener));
      }
    }
    return binding;
  }

  private Listener open(ListenAddress address) throws IOException {
    try {
      return new Listener(address, ListenerSettings.of(address, expected));
    } catch (ChannelException refused) {
      throw Listener.cannotListen(address, refused);
    }
  }

  private ChannelFuture bind(Listener listener) {
    ListenAddress address = listener.address();
    return new ServerBootstrap()
        .group(group)
        .channelFactory(listener::channel)
        .childHandler(
            new ChannelInitializer<Channel>() {
              @Override
              protected void initChannel(Channel channel) {
                channel.pipeline().addLast(new Arrival(listener));
              }
            })
        .bind(Sockets.of(address.address(), address.port()));
  }

  /// Hands a connection over once it can be written to.
  private final class Arrival extends ChannelInboundHandlerAdapter {
    private final Listener listener;

    Arrival(Listener listener) {
      this.listener = listener;
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
      context.pipeline().remove(this);
      if (listener.isChecked(Endpoints.of(context.channel()).remote().address())) {
        accepted.accept(context.channel());
      } else {
        context.channel().close();
      }
    }
  }

  /// Lets these peers past the kernel: puts their keys, and no others, on the listeners, with hop
  /// limits that suit all of them. Established connections are not touched; see {@link #changeKey}.
  ///
  /// @return peers whose key the kernel refused a listener, and why: none of them gets in there
  ///   until a later call has set it; all others do
  /// @throws IllegalArgumentException when two peers behind one listener have one address and
  ///   different keys; then nothing changes
  /// @throws ChannelException when the kernel refuses hop limits
  public Map<ExpectedPeer, String> expect(Collection<ExpectedPeer> peers) {
    if (!loop.inEventLoop()) {
      throw new IllegalStateException("expect is for the loop");
    }
    Map<Listener, ListenerSettings> wanted = new LinkedHashMap<>();
    for (Listener listener : listeners.values()) {
      wanted.put(listener, ListenerSettings.of(listener.address(), peers));
    }
    expected = List.copyOf(peers);
    wanted.forEach(
        (listener, settings) -> {
          if (!settings.equals(listener.settings()) || !listener.refused().isEmpty()) {
            listener.apply(settings);
          }
        });
    return refusedKeys();
  }

  private Map<ExpectedPeer, String> refusedKeys() {
    Map<ExpectedPeer, String> refused = new LinkedHashMap<>();
    for (Listener listener : listeners.values()) {
      listener
          .refused()
          .forEach(
              (addresses, why) -> {
                for (ExpectedPeer peer : expected) {
                  if (peer.addresses().equals(addresses)
                      && ListenerSettings.reaches(peer, listener.address())) {
                    refused.put(peer, String.valueOf(why.getMessage()));
                  }
                }
              });
    }
    return refused;
  }

  /// Whether listeners on these addresses can serve these peers: for configuration, before anything
  /// runs.
  ///
  /// @throws IllegalArgumentException as {@link #expect} would
  public static void check(Set<ListenAddress> addresses, Collection<ExpectedPeer> peers) {
    for (ListenAddress address : addresses) {
      ListenerSettings.of(address, peers);
    }
  }

  /// Begins to connect. The connection's options are set before its SYN leaves.
  ///
  /// @return done on the loop: with the connection, or with an {@link IOException} that says why
  ///   not. Cancelling it gives the attempt up
  public Future<Channel> connect(Dial dial) {
    Promise<Channel> result = loop.newPromise();
    Bootstrap bootstrap =
        new Bootstrap()
            .group(group)
            .channelFactory(() -> channel(dial))
            .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int) dial.timeout().toMillis())
            .handler(new ChannelInboundHandlerAdapter());
    IpAddress source = dial.source();
    ChannelFuture attempt =
        source == null
            ? bootstrap.connect(Sockets.of(dial.remote().address(), dial.port()))
            : bootstrap.connect(
                Sockets.of(dial.remote().address(), dial.port()), Sockets.of(source, 0));
    attempt.addListener(
        (ChannelFuture done) -> {
          if (!done.isSuccess()) {
            result.tryFailure(cannotConnect(dial, done.cause()));
          } else if (!result.trySuccess(done.channel())) {
            done.channel().close();
          }
        });
    result.addListener(
        done -> {
          if (done.isCancelled()) {
            attempt.channel().close();
          }
        });
    return result;
  }

  private static Channel channel(Dial dial) {
    IpFamily family = dial.family();
    EpollSocketChannel channel = new EpollSocketChannel(Sockets.protocol(family));
    try {
      InterfaceName device = dial.device();
      if (device != null) {
        SocketOptions.bindToDevice(channel, device);
      }
      configure(channel, family, dial.ttl());
      Password password = dial.password();
      if (password != null) {
        SocketOptions.setKey(channel, dial.remote().address().toHostPrefix(), password);
      }
      return channel;
    } catch (ChannelException refused) {
      channel.unsafe().closeForcibly();
      throw refused;
    }
  }

  private static IOException cannotConnect(Dial dial, @Nullable Throwable cause) {
    String why =
        cause instanceof ConnectTimeoutException
            ? "no answer within "
                + dial.timeout().toMillis()
                + " ms; is the peer up, and has it "
                + (dial.password() == null ? "no password either?" : "the same password?")
            : switch (Sockets.error(cause)) {
              case Sockets.EADDRNOTAVAIL ->
                  dial.source() == null
                      ? "there is no local port left"
                      : "the source address " + dial.source() + " is not on this node";
              default -> Sockets.text(cause);
            };
    return new IOException(
        "cannot connect to " + dial.remote() + " port " + dial.port() + ": " + why, cause);
  }

  /// Gives a connection its peer's hop limits: an accepted one before it is used, any one when the
  /// configuration changes. An accepted connection has its key from the listener.
  ///
  /// With TTL security this is where it becomes exact: the handshake may have come from afar if the
  /// listener expects peers without it too, but nothing after it can.
  ///
  /// @throws ChannelException when the kernel refuses; then close it
  public void adopt(Channel connection, Ttl ttl) {
    configure(connection, Endpoints.of(connection).remote().address().family(), ttl);
  }

  private static void configure(Channel channel, IpFamily family, Ttl ttl) {
    channel.config().setOption(ChannelOption.TCP_NODELAY, true);
    SocketOptions.markAsRouting(channel, family);
    SocketOptions.sendHops(channel, family, ttl.sent());
    SocketOptions.requireHops(channel, family, ttl.leastReceived());
  }

  /// Changes the key of a live connection, accepted or ours, without breaking it. What the peer
  /// signs with the old key from now on is dropped and, once it has the new one, repeated by its
  /// TCP: the session lives if the peer follows within half its hold time. Change the listeners
  /// with {@link #expect} too, or the next connection fails.
  ///
  /// @param password absent: segments are neither signed nor expected to be
  /// @throws ChannelException when the kernel refuses
  public void changeKey(Channel connection, @Nullable Password password) {
    ScopedAddress remote = Endpoints.of(connection).remote();
    SocketOptions.setKey(connection, remote.address().toHostPrefix(), password);
  }

  /// Takes no more connections; those there are stay.
  public void stopListening() {
    if (loop.isShuttingDown()) {
      return;
    }
    loop.submit(
            () -> {
              listeners.values().forEach(listener -> listener.channel().close());
              listeners.clear();
            })
        .awaitUninterruptibly();
  }

  /// Ends the loop, after a bounded time in which what was sent may leave. Listens nowhere from
  /// then on.
  ///
  /// @param linger how long to wait for what is still to be sent
  public void stop(Duration linger) {
    stopListening();
    group
        .shutdownGracefully(linger.toMillis(), STOP_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
        .awaitUninterruptibly(STOP_TIMEOUT.toMillis());
  }

  private <T> T onLoop(Callable<T> task) throws IOException {
    Future<T> done = loop.submit(task).awaitUninterruptibly();
    return switch (done.cause()) {
      case null -> done.getNow();
      case IOException refused -> throw refused;
      case RuntimeException bug -> throw bug;
      case Throwable other -> throw new IllegalStateException(other);
    };
  }
}
