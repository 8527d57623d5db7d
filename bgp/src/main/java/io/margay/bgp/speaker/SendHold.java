package io.margay.bgp.speaker;

import java.time.Duration;

/// Watches whether the peer accepts what we send (RFC 9687). Not the window is looked at but the
/// progress of what waits: a peer that takes one octet in time is alive. Lives on the loop of the
/// sessions.
final class SendHold {

  /// Looks per send hold time, so that a stall is found at most an eighth too late.
  private static final int LOOKS = 8;

  private final SessionClock clock;
  private final Wire wire;
  private final Duration holdTime;
  private final Runnable expired;
  private final Deadline look;
  private long sentOctets;
  private long progressNanos;

  SendHold(SessionClock clock, Wire wire, Duration holdTime, Runnable expired) {
    this.clock = clock;
    this.wire = wire;
    this.holdTime = holdTime;
    this.expired = expired;
    this.look = new Deadline(clock, this::look);
    progressed();
    look.start(holdTime.dividedBy(LOOKS));
  }

  private void progressed() {
    sentOctets = wire.sentOctets();
    progressNanos = clock.nanos();
  }

  private void look() {
    if (wire.unsentOctets() == 0 || wire.sentOctets() != sentOctets) {
      progressed();
    }
    if (clock.nanos() - progressNanos >= holdTime.toNanos()) {
      expired.run();
    } else {
      look.start(holdTime.dividedBy(LOOKS));
    }
  }

  void stop() {
    look.stop();
  }
}
