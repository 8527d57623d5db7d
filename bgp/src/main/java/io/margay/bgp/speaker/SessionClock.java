package io.margay.bgp.speaker;

import java.time.Duration;
import java.time.Instant;

/// Time and the loop of the sessions: `bgp-io` outside of simulations. Everything it runs, it runs
/// one after the other.
interface SessionClock {

  /// A task that has not run.
  interface Alarm {
    void cancel();
  }

  /// Monotonic.
  long nanos();

  /// For people.
  Instant instant();

  /// Runs a task once, not before the time is over.
  Alarm schedule(Duration after, Runnable task);

  /// Runs a task soon. From any thread.
  void execute(Runnable task);
}
