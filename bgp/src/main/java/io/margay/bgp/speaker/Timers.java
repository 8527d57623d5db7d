package io.margay.bgp.speaker;

import java.time.Duration;
import java.time.temporal.ChronoUnit;
import org.jspecify.annotations.Nullable;

/// The timers of one peer.
///
/// @param holdTime offered: zero (no keepalives) or 3 to 65535 s; the smaller of both ends' counts
/// @param keepaliveTime at the offered hold time; scaled down with it when the peer's is smaller,
///   and never above a third of it. Absent: a third
/// @param sendHold how long the peer may accept nothing we send before the session is given up (RFC
///   9687). Absent: twice the negotiated hold time, or eight minutes if that is zero. Zero: never
///   mind
/// @param connectRetry pause between connection attempts, from 100 ms, before jitter
public record Timers(
    Duration holdTime,
    @Nullable Duration keepaliveTime,
    @Nullable Duration sendHold,
    Duration connectRetry) {

  /// RFC 4271 §10.
  public static final Duration DEFAULT_HOLD_TIME = Duration.ofSeconds(90);

  /// Shorter than the 120 s of RFC 4271 §10: nodes and switches come back within seconds.
  public static final Duration DEFAULT_CONNECT_RETRY = Duration.ofSeconds(5);

  private static final Duration SHORTEST_RETRY = Duration.ofMillis(100);
  private static final Duration SHORTEST_KEEPALIVE = Duration.ofMillis(100);
  private static final int MIN_HOLD_SECONDS = 3;
  private static final int MAX_HOLD_SECONDS = 65_535;

  /// As RFC 4271 and this speaker have them.
  public static final Timers DEFAULT =
      new Timers(DEFAULT_HOLD_TIME, null, null, DEFAULT_CONNECT_RETRY);

  public Timers {
    if (!holdTime.isZero()
        && (!holdTime.equals(holdTime.truncatedTo(ChronoUnit.SECONDS))
            || holdTime.toSeconds() < MIN_HOLD_SECONDS
            || holdTime.toSeconds() > MAX_HOLD_SECONDS)) {
      throw new IllegalArgumentException(
          "hold time " + text(holdTime) + " is neither zero nor whole seconds from 3 to 65535");
    }
    if (keepaliveTime != null) {
      if (holdTime.isZero() != keepaliveTime.isZero()) {
        throw new IllegalArgumentException(
            "hold time "
                + text(holdTime)
                + " and keepalive time "
                + text(keepaliveTime)
                + ": both are zero or neither");
      }
      if (!holdTime.isZero() && keepaliveTime.compareTo(SHORTEST_KEEPALIVE) < 0) {
        throw new IllegalArgumentException(
            "keepalive time " + text(keepaliveTime) + " is shorter than 100 ms");
      }
      if (keepaliveTime.multipliedBy(3).compareTo(holdTime) > 0) {
        throw new IllegalArgumentException(
            "keepalive time "
                + text(keepaliveTime)
                + " is more than a third of the hold time "
                + text(holdTime));
      }
    }
    if (sendHold != null
        && !sendHold.isZero()
        && (sendHold.isNegative() || sendHold.compareTo(holdTime) <= 0)) {
      throw new IllegalArgumentException(
          "send hold time "
              + text(sendHold)
              + " is not longer than the hold time "
              + text(holdTime)
              + " (RFC 9687)");
    }
    if (connectRetry.compareTo(SHORTEST_RETRY) < 0) {
      throw new IllegalArgumentException(
          "connect retry " + text(connectRetry) + " is shorter than 100 ms");
    }
  }

  private static String text(Duration duration) {
    return duration.toMillis() % 1000 == 0
        ? duration.toSeconds() + "s"
        : duration.toMillis() + "ms";
  }
}
