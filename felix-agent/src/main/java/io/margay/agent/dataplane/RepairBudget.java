package io.margay.agent.dataplane;

import java.time.Duration;

/// How much of the loop's time repairs of the rules may take while somebody fights us over them: at
/// once as long as there is credit, then half of the time.
final class RepairBudget {

  /// Enough for the repairs of any accident.
  static final Duration CREDIT = Duration.ofSeconds(1);

  private long credit = CREDIT.toNanos();
  private long countedAt;

  /// @param now a reading of the clock that [#spent] uses, nanoseconds
  RepairBudget(long now) {
    countedAt = now;
  }

  /// How long the next repair has to wait, in nanoseconds; 0 = not at all.
  long waitNanos(long now) {
    refill(now);
    return credit >= 0 ? 0 : -2 * credit;
  }

  void spent(long start, long end) {
    refill(end);
    credit -= end - start;
  }

  private void refill(long now) {
    credit = Math.min(CREDIT.toNanos(), credit + (now - countedAt) / 2);
    countedAt = now;
  }
}
