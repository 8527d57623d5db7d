package io.margay.bgp.speaker;

import java.time.Duration;

/// How fast a dead peer is found beside its session (RFC 5880 §6.8.1, RFC 5882).
///
/// @param interval of our packets, and the shortest we ask the peer for; 10 ms to 60 s
/// @param multiplier lost packets until the peer counts as dead, 1 to 255
public record BfdParameters(Duration interval, int multiplier) {

  private static final Duration SHORTEST = Duration.ofMillis(10);
  private static final Duration LONGEST = Duration.ofSeconds(60);

  /// Finds a dead peer in 900 ms. Below the limits, which its constructor asks.
  public static final BfdParameters DEFAULT = new BfdParameters(Duration.ofMillis(300), 3);

  public BfdParameters {
    if (interval.compareTo(SHORTEST) < 0 || interval.compareTo(LONGEST) > 0) {
      throw new IllegalArgumentException(
          "BFD interval " + interval.toMillis() + "ms is not in 10ms..60s");
    }
    if (multiplier < 1 || multiplier > 255) {
      throw new IllegalArgumentException("BFD multiplier " + multiplier + " is not in 1..255");
    }
  }
}
