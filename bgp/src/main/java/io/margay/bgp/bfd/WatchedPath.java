package io.margay.bgp.bfd;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelException;
import io.netty.channel.ChannelFuture;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.Future;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// A session with its socket, its timer and its counters. Only the loop touches it.
final class WatchedPath implements BfdSession.Out {

  /*
   * A pause of this process - a garbage collection, a starved processor - delays our packets, which
   * the peer judges, and our reading of its packets, which must not be taken for its silence: after
   * a pause the detection time is over while packets that prove the contrary lie in the socket.
   * So a detection time that is over counts only after the loop has read its sockets once more.
   * The loop reads sockets before it runs timers, so one more turn of it is enough.
   */
  private static final long SECOND_LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

  private final EventLoop loop;
  private final RandomGenerator random;
  private final BfdListener listener;
  private final TimerLateness lateness;
  private final BfdSession session;
  private BfdPeer peer;

  private @Nullable ControlSocket socket;
  private @Nullable String problem;

  private @Nullable Future<?> timer;
  private long timerAt;
  private boolean secondLook;

  private BfdState lastState = BfdState.DOWN;
  private Instant since = Instant.now();
  private BfdDiagnostic lastFailure = BfdDiagnostic.NONE;
  private long packetsSent;
  private long packetsReceived;
  private long timesDown;
  private long latestNanos;

  WatchedPath(
      BfdPeer peer,
      int discriminator,
      EventLoop loop,
      RandomGenerator random,
      BfdListener listener,
      TimerLateness lateness) {
    this.peer = peer;
    this.loop = loop;
    this.random = random;
    this.listener = listener;
    this.lateness = lateness;
    this.session =
        new BfdSession(discriminator, peer.parameters(), System.nanoTime(), random, this);
  }

  BfdPeer peer() {
    return peer;
  }

  int discriminator() {
    return session.localDiscriminator();
  }

  boolean isMultihop() {
    return peer.hops() instanceof BfdPeer.Hops.Multi;
  }

  /// Whether a datagram is from the peer, as far as its address and interface go.
  boolean isFrom(InetSocketAddress sender) {
    return socket != null && socket.isTowards(sender);
  }

  void start() {
    arm();
  }

  void configure(BfdPeer changed) {
    boolean timing = !changed.parameters().equals(peer.parameters());
    peer = changed;
    if (timing) {
      session.configure(changed.parameters(), System.nanoTime());
      arm();
    }
  }

  void receive(BfdPacket packet) {
    packetsReceived++;
    secondLook = false;
    session.receive(packet, System.nanoTime());
    settle();
  }

  /// Tells the peer that the session ends, and that nothing failed.
  void adminDown() {
    session.adminDown(System.nanoTime());
    settle();
  }

  /// How long to go on telling so: "for at least a Detection Time" (RFC 5880 §6.8.16).
  Duration farewell() {
    long micros = session.sendIntervalMicros() * peer.parameters().multiplier();
    return Duration.of(micros, ChronoUnit.MICROS);
  }

  void close() {
    if (timer != null) {
      timer.cancel(false);
      timer = null;
    }
    closeSocket();
  }

  /// The interface of the peer has another index than when the socket was opened.
  void closeSocket() {
    if (socket != null) {
      socket.close();
      socket = null;
    }
  }

  private void arm() {
    long deadline = session.nextDeadline();
    Future<?> armed = timer;
    if (armed != null) {
      // A later deadline is noticed when the timer fires: most packets only move it back.
      if (timerAt - deadline <= 0) {
        return;
      }
      armed.cancel(false);
    }
    wakeAt(deadline);
  }

  private void wakeAt(long nanos) {
    timerAt = nanos;
    long delay = Math.max(0, nanos - System.nanoTime());
    timer = loop.schedule(this::fired, delay, TimeUnit.NANOSECONDS);
  }

  private void fired() {
    timer = null;
    long now = System.nanoTime();
    long late = now - timerAt;
    lateness.record(late);
    latestNanos = Math.max(latestNanos, late);
    if (session.isOverdue(now) && !secondLook) {
      secondLook = true;
      wakeAt(now + SECOND_LOOK_NANOS);
      return;
    }
    secondLook = false;
    session.tick(now);
    settle();
  }

  private void settle() {
    BfdState state = session.state();
    if (state != lastState) {
      lastState = state;
      since = Instant.now();
    }
    arm();
  }

  @Override
  public void send(BfdPacket packet) {
    try {
      ControlSocket open = socket;
      if (open == null) {
        open = ControlSocket.open(peer, loop, random);
        socket = open;
      }
      ByteBuf octets = open.buffer(BfdPacket.OCTETS);
      packet.encode(octets);
      sent(open.send(octets));
    } catch (ChannelException cannotOpen) {
      cannotSend(cannotOpen);
    }
  }

  private void sent(ChannelFuture sending) {
    if (sending.isDone() && !sending.isSuccess()) {
      cannotSend(sending.cause());
      if (peer.peer().scope() != null) {
        // An interface that was made anew has another index.
        closeSocket();
      }
      return;
    }
    packetsSent++;
    problem = null;
  }

  private void cannotSend(Throwable cause) {
    String reason = ControlSocket.text(cause);
    if (!reason.equals(problem)) {
      problem = reason;
      BfdLog.cannotSend(peer.peer(), reason);
    }
  }

  @Override
  public void changed(BfdChange change) {
    switch (change) {
      case BfdChange.Up() ->
          BfdLog.up(peer.peer(), session.sendIntervalMicros(), session.detectionMicros());
      case BfdChange.Down(BfdDiagnostic diagnostic, boolean peerIndependent) -> {
        timesDown++;
        lastFailure = diagnostic;
        BfdLog.down(peer.peer(), diagnostic, peerIndependent);
      }
      case BfdChange.AdminDown() -> BfdLog.adminDown(peer.peer());
    }
    try {
      listener.onChange(peer, change);
    } catch (RuntimeException bug) {
      BfdLog.listenerFailed(peer.peer(), bug);
    }
  }

  BfdStatus status(@Nullable String portProblem) {
    return new BfdStatus(
        peer,
        session.state(),
        session.remoteState(),
        since,
        session.diagnostic(),
        session.remoteDiagnostic(),
        session.localDiscriminator(),
        session.remoteDiscriminator(),
        micros(session.sendIntervalMicros()),
        micros(session.detectionMicros()),
        packetsSent,
        packetsReceived,
        timesDown,
        lastFailure,
        portProblem == null ? problem : portProblem,
        Duration.ofNanos(latestNanos));
  }

  private static Duration micros(long count) {
    return Duration.of(count, ChronoUnit.MICROS);
  }
}
