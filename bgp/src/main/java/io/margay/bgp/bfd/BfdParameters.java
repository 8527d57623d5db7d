package io.margay.bgp.bfd;

import java.time.Duration;

/// How fast a dead path shall be noticed.
///
/// @param interval how often we send, and the shortest interval at which we want to hear: 10 ms to
///   60 s. The peer may ask for more
/// @param multiplier how many intervals without a packet make a peer dead, 1 to 255
public record BfdParameters(Duration interval, int multiplier) {

  /// Below this a pause of the virtual machine is longer than the detection time.
  public static final Duration MIN_INTERVAL = Duration.ofMillis(10);

  public static final Duration MAX_INTERVAL = Duration.ofMinutes(1);

  private static final int MAX_MULTIPLIER = 255;

  /// A dead peer is noticed within 0.9 s.
  public static final BfdParameters DEFAULT = new BfdParameters(Duration.ofMillis(300), 3);

  public BfdParameters {
    if (interval.compareTo(MIN_INTERVAL) < 0 || interval.compareTo(MAX_INTERVAL) > 0) {
      throw new IllegalArgumentException(
          "BFD interval "
              + interval.toMillis()
              + " ms is not in "
              + MIN_INTERVAL.toMillis()
              + ".."
              + MAX_INTERVAL.toMillis()
              + " ms");
    }
    if (multiplier < 1 || multiplier > MAX_MULTIPLIER) {
      throw new IllegalArgumentException(
          "BFD multiplier " + multiplier + " is not in 1.." + MAX_MULTIPLIER);
    }
  }

  int micros() {
    return Math.toIntExact(interval.toNanos() / 1000);
  }
}
