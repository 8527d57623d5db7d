package io.margay.bgp.bfd;

import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.ScopedAddress;
import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.util.collection.IntObjectHashMap;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.Future;
import java.net.Inet6Address;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// All BFD sessions of this node: asynchronous mode, without echo, demand and authentication (RFC
/// 5880), to peers on the link (RFC 5881) and behind routers (RFC 5883).
///
/// Sessions are desired state: {@link #desire} names all of them. A session that is desired no more
/// tells its peer "administratively down", so that the end of this process or of a peering is not
/// taken for a failure.
///
/// Loop: `bgp-bfd`, started and owned here. Every method may be called from any thread.
public final class BfdSessions {

  private static final Duration STOP_TIMEOUT = Duration.ofSeconds(3);

  /// How soon a port that could not be bound is tried again.
  private static final Duration PORT_RETRY = Duration.ofSeconds(1);

  private record PortKey(IpFamily family, boolean multihop) {
    static PortKey of(BfdPeer peer) {
      return new PortKey(peer.peer().family(), peer.hops() instanceof BfdPeer.Hops.Multi);
    }
  }

  /// What names a session until its discriminators are known (RFC 5880 §6.8.6).
  private record Source(ScopedAddress peer, boolean multihop) {
    static Source of(BfdPeer peer) {
      return new Source(peer.peer(), peer.hops() instanceof BfdPeer.Hops.Multi);
    }
  }

  private final MultiThreadIoEventLoopGroup group =
      new MultiThreadIoEventLoopGroup(
          1, new DefaultThreadFactory("bgp-bfd", true), EpollIoHandler.newFactory());
  private final EventLoop loop = group.next();
  private final BfdListener listener;
  private final TimerLateness lateness = new TimerLateness();
  private final RandomGenerator random;
  private final Discards discards = new Discards();

  private final Map<BfdPeer.Key, WatchedPath> paths = new LinkedHashMap<>();
  private final Map<Source, WatchedPath> bySource = new HashMap<>();
  private final IntObjectHashMap<WatchedPath> byDiscriminator = new IntObjectHashMap<>();
  private final Map<Source, WatchedPath> leaving = new HashMap<>();
  private final Map<PortKey, ControlPort> ports = new HashMap<>();
  private final Map<PortKey, String> portProblems = new HashMap<>();
  private @Nullable Future<?> portRetry;

  private BfdSessions(BfdListener listener, RandomGenerator random) {
    this.listener = listener;
    this.random = random;
  }

  /// Starts the loop, without sessions. Sockets belong to the network namespace of the process.
  ///
  /// @param listener hears of every session that comes up or goes down, on `bgp-bfd`
  public static BfdSessions start(BfdListener listener) {
    // RFC 5880 §10: discriminators that cannot be guessed keep off-path packets out.
    return new BfdSessions(listener, new SecureRandom());
  }

  /// The thread of everything here.
  EventLoop loop() {
    return loop;
  }

  /// Runs these sessions and no others. A session whose address pair and distance stay lives on;
  /// new intervals are negotiated with the peer while it is up.
  ///
  /// @throws IllegalArgumentException when two of them have the same peer and distance, or too many
  ///   multihop peers have a minimum TTL of their own; then everything stays as it is
  public void desire(Set<BfdPeer> desired) {
    Map<Source, BfdPeer> distinct = new HashMap<>();
    for (BfdPeer peer : desired) {
      BfdPeer other = distinct.put(Source.of(peer), peer);
      if (other != null) {
        throw new IllegalArgumentException(
            "BFD peer " + peer.peer() + " is named twice; a peer has one session");
      }
    }
    for (PortKey port : portsOf(desired)) {
      HopFilter.check(peersOf(port, desired));
    }
    Set<BfdPeer> copy = Set.copyOf(desired);
    loop.execute(() -> bring(copy));
  }

  private static Set<PortKey> portsOf(Collection<BfdPeer> peers) {
    Set<PortKey> used = new HashSet<>();
    for (BfdPeer peer : peers) {
      used.add(PortKey.of(peer));
    }
    return used;
  }

  private static List<BfdPeer> peersOf(PortKey port, Collection<BfdPeer> peers) {
    return peers.stream().filter(peer -> PortKey.of(peer).equals(port)).toList();
  }

  private void bring(Set<BfdPeer> desired) {
    Map<BfdPeer.Key, BfdPeer> wanted = new HashMap<>();
    for (BfdPeer peer : desired) {
      wanted.put(peer.key(), peer);
    }
    for (WatchedPath path : List.copyOf(paths.values())) {
      if (!wanted.containsKey(path.peer().key())) {
        dismiss(path);
      }
    }
    openPorts(desired);
    for (BfdPeer peer : desired) {
      WatchedPath running = paths.get(peer.key());
      if (running == null) {
        watch(peer);
      } else {
        running.configure(peer);
      }
    }
  }

  private void watch(BfdPeer peer) {
    WatchedPath old = leaving.remove(Source.of(peer));
    if (old != null) {
      old.close();
    }
    WatchedPath path = new WatchedPath(peer, freeDiscriminator(), loop, random, listener, lateness);
    paths.put(peer.key(), path);
    bySource.put(Source.of(peer), path);
    byDiscriminator.put(path.discriminator(), path);
    path.start();
  }

  private int freeDiscriminator() {
    int candidate;
    do {
      candidate = random.nextInt();
    } while (candidate == 0 || byDiscriminator.containsKey(candidate));
    return candidate;
  }

  private void dismiss(WatchedPath path) {
    Source source = Source.of(path.peer());
    paths.remove(path.peer().key());
    bySource.remove(source);
    byDiscriminator.remove(path.discriminator());
    path.adminDown();
    leaving.put(source, path);
    loop.schedule(
        () -> {
          if (leaving.remove(source, path)) {
            path.close();
          }
        },
        path.farewell().toNanos(),
        TimeUnit.NANOSECONDS);
  }

  private void openPorts(Collection<BfdPeer> desired) {
    Set<PortKey> used = portsOf(desired);
    ports
        .entrySet()
        .removeIf(
            entry -> {
              boolean idle = !used.contains(entry.getKey());
              if (idle) {
                entry.getValue().close();
                portProblems.remove(entry.getKey());
              }
              return idle;
            });
    for (PortKey key : used) {
      ControlPort port =
          ports.computeIfAbsent(
              key, _ -> new ControlPort(key.family(), key.multihop(), loop, this::received));
      String problem = port.listen(peersOf(key, desired));
      if (problem == null) {
        portProblems.remove(key);
      } else if (!problem.equals(portProblems.put(key, problem))) {
        BfdLog.cannotListen(port, problem, PORT_RETRY);
      }
    }
    if (!portProblems.isEmpty() && portRetry == null) {
      portRetry =
          loop.schedule(
              () -> {
                portRetry = null;
                openPorts(paths.values().stream().map(WatchedPath::peer).toList());
              },
              PORT_RETRY.toMillis(),
              TimeUnit.MILLISECONDS);
    }
  }

  private void received(ControlPort port, InetSocketAddress sender, ByteBuf octets) {
    switch (BfdPacket.decode(octets)) {
      case BfdPacket.Decoded.Discarded(String reason) -> discards.add(sender, reason);
      case BfdPacket.Decoded.Valid(BfdPacket packet) -> {
        WatchedPath path = find(port, sender, packet);
        if (path != null) {
          path.receive(packet);
        }
      }
    }
  }

  /// RFC 5880 §6.8.6: by our discriminator if the peer knows it, else by where the packet comes
  /// from. Either way it must come from the session's peer.
  private @Nullable WatchedPath find(ControlPort port, InetSocketAddress sender, BfdPacket packet) {
    int discriminator = packet.yourDiscriminator();
    WatchedPath named = byDiscriminator.get(discriminator);
    if (discriminator != 0 && named == null) {
      discards.add(sender, "your discriminator names no session");
      return null;
    }
    if (named != null && named.isMultihop() == port.isMultihop() && named.isFrom(sender)) {
      return named;
    }
    WatchedPath heard = bySource.get(new Source(address(sender), port.isMultihop()));
    if (heard == null) {
      discards.add(sender, "no session with this address");
      return null;
    }
    if (named != null && named != heard) {
      discards.add(sender, "your discriminator names a session with another address");
      return null;
    }
    if (!heard.isFrom(sender)) {
      // The interface of a link-local peer was made anew: what it sends from is of the old one.
      heard.closeSocket();
    }
    return heard;
  }

  private static ScopedAddress address(InetSocketAddress sender) {
    IpAddress address = IpAddress.of(sender.getAddress().getAddress());
    if (sender.getAddress() instanceof Inet6Address six && address.isLinkLocal()) {
      try {
        NetworkInterface on = NetworkInterface.getByIndex(six.getScopeId());
        if (on != null) {
          return ScopedAddress.parse(address + "%" + on.getName());
        }
      } catch (SocketException | IllegalArgumentException interfaceIsGone) {
        return ScopedAddress.of(address);
      }
    }
    return ScopedAddress.of(address);
  }

  /// Every session that is desired, as it is now. Empty once stopped.
  public List<BfdStatus> status() {
    return onLoop(
        () -> {
          List<BfdStatus> all = new ArrayList<>();
          for (WatchedPath path : paths.values()) {
            all.add(path.status(portProblems.get(PortKey.of(path.peer()))));
          }
          return List.copyOf(all);
        },
        List.of());
  }

  /// How late the timers of all sessions have been.
  public TimerLateness lateness() {
    return lateness;
  }

  /// Packets that were dropped because they were malformed, or no session was theirs. What comes
  /// from too far away is dropped by the kernel and not counted.
  public long packetsDiscarded() {
    return discards.count();
  }

  /// Ends all sessions, telling every peer that nothing failed, and the loop.
  public void stop() {
    onLoop(
        () -> {
          for (WatchedPath path : List.copyOf(paths.values())) {
            dismiss(path);
          }
          leaving.values().forEach(WatchedPath::close);
          leaving.clear();
          ports.values().forEach(ControlPort::close);
          ports.clear();
          portProblems.clear();
          if (portRetry != null) {
            portRetry.cancel(false);
          }
          return true;
        },
        false);
    group
        .shutdownGracefully(0, STOP_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
        .awaitUninterruptibly(STOP_TIMEOUT.toMillis());
  }

  private <T> T onLoop(Callable<T> task, T stopped) {
    try {
      if (loop.inEventLoop()) {
        return task.call();
      }
      Future<T> done = loop.submit(task).awaitUninterruptibly();
      return switch (done.cause()) {
        case null -> done.getNow();
        case RuntimeException bug -> throw bug;
        case Throwable other -> throw new IllegalStateException(other);
      };
    } catch (RejectedExecutionException ended) {
      return stopped;
    } catch (RuntimeException bug) {
      throw bug;
    } catch (Exception impossible) {
      throw new IllegalStateException(impossible);
    }
  }
}
