package io.margay.bgp.bfd;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;

/// How late the timers of a loop fired: what pauses of the virtual machine and of the scheduler do
/// to BFD. One thread records; any may read.
public final class TimerLateness {

  /// Doubling from 64 µs: the last bound is 8.6 s, and what is later counts there.
  private static final int BUCKETS = 18;

  private static final long FIRST_BOUND_NANOS = TimeUnit.MICROSECONDS.toNanos(64);

  private final AtomicLongArray counts = new AtomicLongArray(BUCKETS);
  private final AtomicLong latestNanos = new AtomicLong();

  TimerLateness() {}

  /// @param nanos how late; less than zero counts as on time
  void record(long nanos) {
    int bucket = 0;
    while (bucket < BUCKETS - 1 && nanos > FIRST_BOUND_NANOS << bucket) {
      bucket++;
    }
    counts.lazySet(bucket, counts.getPlain(bucket) + 1);
    if (nanos > latestNanos.getPlain()) {
      latestNanos.lazySet(nanos);
    }
  }

  /// Timers fired so far.
  public long count() {
    long sum = 0;
    for (int i = 0; i < BUCKETS; i++) {
      sum += counts.get(i);
    }
    return sum;
  }

  /// The latest of all.
  public Duration max() {
    return Duration.ofNanos(latestNanos.get());
  }

  /// A bound that this share of all timers kept; it is at most twice the true value.
  ///
  /// @param share 0 to 1: 0.9999 for the 99.99th percentile
  public Duration atMost(double share) {
    long wanted = (long) Math.ceil(count() * share);
    long seen = 0;
    for (int i = 0; i < BUCKETS; i++) {
      seen += counts.get(i);
      if (seen >= wanted && i < BUCKETS - 1) {
        Duration bound = Duration.ofNanos(FIRST_BOUND_NANOS << i);
        return bound.compareTo(max()) < 0 ? bound : max();
      }
    }
    return max();
  }
}
