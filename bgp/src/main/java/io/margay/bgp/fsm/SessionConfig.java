package io.margay.bgp.fsm;

import io.margay.bgp.message.Open;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// What a connection's state machine needs to know.
///
/// @param passive only accepts connections
/// @param expected the AS number the peer must have
/// @param open what we say first
/// @param connectRetry pause between connection attempts
/// @param keepalive interval of our keepalives at the hold time we offer; absent: a third of it
/// @param sendHold how long the peer may accept nothing (RFC 9687); absent: {@link
///   #SEND_HOLD_FACTOR} times the hold time. Zero: for ever
public record SessionConfig(
    boolean passive,
    ExpectedAs expected,
    Open open,
    Duration connectRetry,
    @Nullable Duration keepalive,
    @Nullable Duration sendHold) {

  /// As other speakers have it. RFC 9687 §5 proposes the same, but never less than {@link
  /// #SEND_HOLD_WITHOUT_HOLD_TIME}: too long for a node whose routes are wanted elsewhere.
  static final int SEND_HOLD_FACTOR = 2;

  /// For sessions without hold time.
  static final Duration SEND_HOLD_WITHOUT_HOLD_TIME = Duration.ofMinutes(8);

  /// A third of the hold time (RFC 4271 §4.4), or the configured interval, scaled down where the
  /// peer's hold time is the shorter one.
  Duration keepalive(Duration negotiatedHold) {
    Duration third = negotiatedHold.dividedBy(3);
    Duration offered = open.holdTime();
    if (keepalive == null || offered.isZero()) {
      return third;
    }
    double share = (double) negotiatedHold.toNanos() / offered.toNanos();
    Duration scaled = Duration.ofNanos((long) (keepalive.toNanos() * share));
    return scaled.compareTo(third) < 0 ? scaled : third;
  }

  Duration sendHold(Duration negotiatedHold) {
    if (sendHold != null) {
      return sendHold;
    }
    return negotiatedHold.isZero()
        ? SEND_HOLD_WITHOUT_HOLD_TIME
        : negotiatedHold.multipliedBy(SEND_HOLD_FACTOR);
  }
}
