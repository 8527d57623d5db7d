package io.margay.linux.traffic;

/// How a device sends: tokens come at the rate, one for each octet, and as many as the burst are
/// kept. What has to wait longer than the latency is dropped.
///
/// @param rate octets a second
/// @param burst octets that may go at once; what a single packet may have at most
public record TokenBucket(long rate, long burst) {

  /// What the `bandwidth` plugin of the CNI project allows.
  static final long LATENCY_MILLIS = 25;

  private static final long MAX_U32 = 0xffff_ffffL;

  /// PSCHED_SHIFT: a tick of the kernel's packet schedulers is 64 ns.
  private static final int NANOS_PER_TICK = 64;

  private static final long NANOS_PER_SECOND = 1_000_000_000;

  public TokenBucket {
    if (rate < 1 || burst < 1 || burst > MAX_U32) {
      throw new IllegalArgumentException(
          "a token bucket of " + rate + " octets a second and " + burst + " at once");
    }
  }

  /// Octets that may wait: those of the latency, and a burst.
  long limit() {
    return Math.min(MAX_U32, (long) ((double) rate * LATENCY_MILLIS / 1000) + burst);
  }

  /// The time a burst takes, in the unit and range old interfaces of the kernel have for it.
  long burstTicks() {
    return (long)
        Math.min(MAX_U32, (double) burst * NANOS_PER_SECOND / (double) rate / NANOS_PER_TICK);
  }

  /// The rate, as far as 32 bits hold it.
  long rateU32() {
    return Math.min(MAX_U32, rate);
  }

  /// Whether 32 bits are too few.
  boolean isWide() {
    return rate > MAX_U32;
  }
}
