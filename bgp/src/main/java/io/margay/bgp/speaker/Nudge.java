package io.margay.bgp.speaker;

import java.time.Duration;
import java.util.function.BooleanSupplier;

/// Wakes a peer that may sit on the end of what it has to tell: after many UPDATEs without a pause,
/// and then silence, it hears a KEEPALIVE.
///
/// BIRD (2.0.12) writes 256 UPDATEs a turn of its loop, and where none of them was refused by its
/// socket it can go to sleep with the last, partial turn unsent, for up to three seconds. Whatever
/// it receives wakes it. For any other peer the KEEPALIVE is one more. Lives on the loop of the
/// sessions.
final class Nudge {

  /// UPDATEs without a pause from which on a silence is looked at.
  static final int BURST = 256;

  /// How long the peer must have been silent.
  static final Duration SILENCE = Duration.ofMillis(20);

  /// "KEEPALIVE messages MUST NOT be sent more frequently than one per second" (RFC 4271 §4.4).
  static final Duration APART = Duration.ofSeconds(1);

  private final SessionClock clock;
  private final BooleanSupplier reading;
  private final Runnable keepAlive;
  private final Deadline silence;
  private int burst;
  private long heardNanos;
  private long keptAliveNanos;

  /// @param reading whether the peer's silence is its own, and not that we do not read
  /// @param keepAlive sends a KEEPALIVE
  Nudge(SessionClock clock, BooleanSupplier reading, Runnable keepAlive) {
    this.clock = clock;
    this.reading = reading;
    this.keepAlive = keepAlive;
    this.silence = new Deadline(clock, this::silent);
    this.keptAliveNanos = clock.nanos();
  }

  /// UPDATEs arrived.
  void heard(int updates) {
    long now = clock.nanos();
    if (!silence.isArmed() && now - heardNanos > SILENCE.toNanos()) {
      burst = 0;
    }
    heardNanos = now;
    burst += updates;
    if (burst >= BURST) {
      silence.start(SILENCE);
    }
  }

  /// A KEEPALIVE was sent, by whomever.
  void keptAlive() {
    keptAliveNanos = clock.nanos();
  }

  private void silent() {
    Duration since = Duration.ofNanos(clock.nanos() - keptAliveNanos);
    if (!reading.getAsBoolean()) {
      silence.start(SILENCE);
    } else if (since.compareTo(APART) < 0) {
      silence.start(APART.minus(since));
    } else {
      burst = 0;
      keepAlive.run();
    }
  }

  void stop() {
    silence.stop();
    burst = 0;
  }
}
