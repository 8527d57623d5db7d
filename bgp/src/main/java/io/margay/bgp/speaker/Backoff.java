package io.margay.bgp.speaker;

import java.time.Duration;
import java.util.random.RandomGenerator;

/// Growing pauses after failures, and the jitter of all timers but the hold timer.
final class Backoff {

  static final Duration SHORTEST = Duration.ofSeconds(1);
  static final Duration LONGEST = Duration.ofSeconds(30);

  private final RandomGenerator random;
  private Duration next = SHORTEST;

  Backoff(RandomGenerator random) {
    this.random = random;
  }

  /// The pause after one more failure, jittered.
  Duration failed() {
    Duration pause = next;
    Duration doubled = next.multipliedBy(2);
    next = doubled.compareTo(LONGEST) > 0 ? LONGEST : doubled;
    return jitter(pause);
  }

  void succeeded() {
    next = SHORTEST;
  }

  /// Three quarters to all of a duration (RFC 4271 §10).
  Duration jitter(Duration duration) {
    return Duration.ofNanos((long) (duration.toNanos() * random.nextDouble(0.75, 1.0)));
  }
}
