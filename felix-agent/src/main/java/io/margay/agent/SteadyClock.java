package io.margay.agent;

import java.time.Instant;
import java.time.InstantSource;
import java.util.function.LongSupplier;

/// The time of day as it was when this was made, and what has passed since by a clock that nobody
/// sets: for all that lasts or is due within this process. An administrator, or a time server after
/// a boot without a clock, may move the machine's time by years; what was to happen in five seconds
/// still does then.
final class SteadyClock implements InstantSource {

  private final Instant start;
  private final long startNanos;
  private final LongSupplier nanos;

  /// @param nanos as `System.nanoTime`
  SteadyClock(InstantSource clock, LongSupplier nanos) {
    this.start = clock.instant();
    this.nanos = nanos;
    this.startNanos = nanos.getAsLong();
  }

  /// Beside the machine's own.
  static SteadyClock of(InstantSource clock) {
    return new SteadyClock(clock, System::nanoTime);
  }

  @Override
  public Instant instant() {
    return start.plusNanos(nanos.getAsLong() - startNanos);
  }
}
