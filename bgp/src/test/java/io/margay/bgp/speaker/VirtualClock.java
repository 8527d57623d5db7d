package io.margay.bgp.speaker;

import io.margay.bgp.sim.VirtualTime;
import java.time.Duration;
import java.time.Instant;

/// The clock of what is tested alone, without a node around it.
record VirtualClock(VirtualTime time) implements SessionClock {

  @Override
  public long nanos() {
    return time.nanos();
  }

  @Override
  public Instant instant() {
    return time.instant();
  }

  @Override
  public Alarm schedule(Duration after, Runnable task) {
    return time.after(after, task)::cancel;
  }

  @Override
  public void execute(Runnable task) {
    time.after(Duration.ZERO, task);
  }
}
