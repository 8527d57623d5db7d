package io.margay.bgp.bfd;

import java.util.random.RandomGenerator;

/// One session in asynchronous mode (RFC 5880 §6.8), without echo and authentication. Time and
/// chance come from outside: the same calls bring the same packets.
///
/// Times are of {@link System#nanoTime}'s kind: only differences mean something. Intervals are
/// unsigned microseconds, as on the wire.
final class BfdSession {

  /// Where packets and news go. Called within the methods of the session.
  interface Out {
    void send(BfdPacket packet);

    void changed(BfdChange change);
  }

  /// "When bfd.SessionState is not Up, the system MUST set bfd.DesiredMinTxInterval to a value of
  /// not less than one second" (§6.8.3).
  static final int SLOW_MICROS = 1_000_000;

  private final int localDiscriminator;
  private final RandomGenerator random;
  private final Out out;
  private BfdParameters parameters;

  private BfdState state = BfdState.DOWN;
  private BfdDiagnostic diagnostic = BfdDiagnostic.NONE;

  /// What packets say.
  private long desiredMinTx;

  private long requiredMinRx;

  /// What timers use: the same, or the older value until the peer has answered the poll (§6.8.3).
  private long effectiveMinTx;

  private long effectiveMinRx;
  private boolean polling;

  private int remoteDiscriminator;
  private BfdState remoteState = BfdState.DOWN;
  private BfdDiagnostic remoteDiagnostic = BfdDiagnostic.NONE;
  private boolean remoteIndependent;
  private boolean remoteDemand;
  private int remoteMultiplier;
  private long remoteMinTx;

  /// "This variable MUST be initialized to 1" (§6.8.1).
  private long remoteMinRx = 1;

  private long nextSend;
  private boolean detecting;
  private long detectAt;

  /// @param localDiscriminator unique on this node, not zero
  BfdSession(
      int localDiscriminator, BfdParameters parameters, long now, RandomGenerator random, Out out) {
    this.localDiscriminator = localDiscriminator;
    this.parameters = parameters;
    this.random = random;
    this.out = out;
    this.requiredMinRx = parameters.micros();
    this.effectiveMinRx = requiredMinRx;
    slowDown();
    this.nextSend = now;
  }

  int localDiscriminator() {
    return localDiscriminator;
  }

  int remoteDiscriminator() {
    return remoteDiscriminator;
  }

  BfdState state() {
    return state;
  }

  BfdState remoteState() {
    return remoteState;
  }

  BfdDiagnostic diagnostic() {
    return diagnostic;
  }

  BfdDiagnostic remoteDiagnostic() {
    return remoteDiagnostic;
  }

  BfdParameters parameters() {
    return parameters;
  }

  boolean isPolling() {
    return polling;
  }

  /// The interval of our packets before jitter: "the larger of bfd.DesiredMinTxInterval and
  /// bfd.RemoteMinRxInterval" (§6.8.7).
  long sendIntervalMicros() {
    return Math.max(effectiveMinTx, remoteMinRx);
  }

  /// How long the peer may be silent (§6.8.4); zero before it was heard.
  long detectionMicros() {
    return remoteMultiplier * Math.max(effectiveMinRx, remoteMinTx);
  }

  /// A valid packet for this session (§6.8.6 from "Set bfd.RemoteDiscr" on).
  void receive(BfdPacket packet, long now) {
    remoteDiscriminator = packet.myDiscriminator();
    remoteState = packet.state();
    remoteDiagnostic = packet.diagnostic();
    remoteIndependent = packet.controlPlaneIndependent();
    remoteDemand = packet.demand();
    remoteMultiplier = packet.multiplier();
    remoteMinTx = Integer.toUnsignedLong(packet.desiredMinTx());
    remoteMinRx = Integer.toUnsignedLong(packet.requiredMinRx());
    if (polling && packet.last()) {
      polling = false;
      effectiveMinTx = desiredMinTx;
      effectiveMinRx = requiredMinRx;
    }
    detecting = true;
    detectAt = now + detectionMicros() * 1000;
    if (state == BfdState.ADMIN_DOWN) {
      return;
    }
    BfdState before = state;
    follow(packet.state());
    if (packet.poll()) {
      out.send(packet(false, true));
    }
    if (state != before) {
      // §6.8.7: a packet is sent early "when the contents of that packet would differ from that in
      // the previously transmitted packet".
      sendNow(now);
    } else {
      long latest = now + sendIntervalMicros() * 1000;
      if (nextSend - latest > 0) {
        nextSend = latest;
      }
    }
  }

  private void follow(BfdState heard) {
    switch (heard) {
      case ADMIN_DOWN -> {
        if (state != BfdState.DOWN) {
          leave(BfdDiagnostic.NEIGHBOR_SIGNALED_DOWN);
        }
      }
      case DOWN -> {
        switch (state) {
          case DOWN -> state = BfdState.INIT;
          case UP -> leave(BfdDiagnostic.NEIGHBOR_SIGNALED_DOWN);
          case INIT, ADMIN_DOWN -> {}
        }
      }
      case INIT -> {
        if (state == BfdState.DOWN || state == BfdState.INIT) {
          goUp();
        }
      }
      case UP -> {
        if (state == BfdState.INIT) {
          goUp();
        }
      }
    }
  }

  private void goUp() {
    state = BfdState.UP;
    diagnostic = BfdDiagnostic.NONE;
    changeIntervals();
    out.changed(new BfdChange.Up());
  }

  private void leave(BfdDiagnostic why) {
    BfdState before = state;
    state = BfdState.DOWN;
    diagnostic = why;
    slowDown();
    if (before == BfdState.UP) {
      out.changed(
          remoteState == BfdState.ADMIN_DOWN
              ? new BfdChange.AdminDown()
              : new BfdChange.Down(why, remoteIndependent));
    }
  }

  private void slowDown() {
    polling = false;
    desiredMinTx = Math.max(SLOW_MICROS, parameters.micros());
    effectiveMinTx = desiredMinTx;
    requiredMinRx = parameters.micros();
    effectiveMinRx = requiredMinRx;
  }

  /// Takes the configured intervals while the session is up, by a poll. A longer sending interval
  /// and a shorter receiving one wait for the answer, so that neither side is declared dead on the
  /// way (§6.8.3).
  private void changeIntervals() {
    long micros = parameters.micros();
    if (desiredMinTx == micros && requiredMinRx == micros) {
      return;
    }
    desiredMinTx = micros;
    requiredMinRx = micros;
    effectiveMinTx = Math.min(effectiveMinTx, micros);
    effectiveMinRx = Math.max(effectiveMinRx, micros);
    polling = true;
  }

  /// New parameters for a session that goes on.
  void configure(BfdParameters changed, long now) {
    parameters = changed;
    switch (state) {
      case UP -> changeIntervals();
      case DOWN, INIT, ADMIN_DOWN -> slowDown();
    }
    sendNow(now);
  }

  /// Ends the session for good: the peer is told that nothing failed.
  void adminDown(long now) {
    state = BfdState.ADMIN_DOWN;
    diagnostic = BfdDiagnostic.ADMINISTRATIVELY_DOWN;
    slowDown();
    sendNow(now);
  }

  /// Whether the peer has been silent for too long.
  boolean isOverdue(long now) {
    return detecting && detectAt - now <= 0;
  }

  /// What is due: the end of a silent peer, or the next packet.
  void tick(long now) {
    if (isOverdue(now)) {
      expire(now);
    }
    if (nextSend - now <= 0) {
      if (sends()) {
        sendNow(now);
      } else {
        nextSend = now + sendIntervalMicros() * 1000;
      }
    }
  }

  private void expire(long now) {
    detecting = false;
    // §6.8.1: a peer not heard for a detection time has no discriminator any more.
    remoteDiscriminator = 0;
    remoteMinRx = 1;
    remoteDemand = false;
    boolean failed = state == BfdState.INIT || state == BfdState.UP;
    if (failed) {
      leave(BfdDiagnostic.DETECTION_TIME_EXPIRED);
    }
    remoteState = BfdState.DOWN;
    if (failed) {
      sendNow(now);
    }
  }

  /// §6.8.7: nothing to a peer that cannot receive, or that is in demand mode and up.
  private boolean sends() {
    if (remoteMinRx == 0) {
      return false;
    }
    boolean quiet = remoteDemand && state == BfdState.UP && remoteState == BfdState.UP;
    return !quiet || polling;
  }

  private void sendNow(long now) {
    if (sends()) {
      out.send(packet(polling, false));
    }
    nextSend = now + jittered(sendIntervalMicros() * 1000);
  }

  /// §6.8.7: up to a quarter less; with a multiplier of one at least a tenth less, or a single late
  /// packet would end the session.
  private long jittered(long nanos) {
    double most = parameters.multiplier() == 1 ? 0.90 : 1.0;
    return (long) (nanos * (0.75 + (most - 0.75) * random.nextDouble()));
  }

  private BfdPacket packet(boolean poll, boolean last) {
    return new BfdPacket(
        diagnostic,
        state,
        poll,
        last,
        false,
        false,
        parameters.multiplier(),
        localDiscriminator,
        remoteDiscriminator,
        (int) desiredMinTx,
        (int) requiredMinRx,
        0);
  }

  /// When {@link #tick} has something to do next.
  long nextDeadline() {
    return detecting && detectAt - nextSend < 0 ? detectAt : nextSend;
  }
}
