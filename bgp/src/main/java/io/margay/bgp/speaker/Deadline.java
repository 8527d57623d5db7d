package io.margay.bgp.speaker;

import java.time.Duration;

/// A timer that is moved far more often than it fires: its task looks again when it runs. Lives on
/// the loop of the sessions.
final class Deadline {

  private final SessionClock clock;
  private final Runnable expired;
  private long atNanos;
  private boolean armed;
  private boolean scheduled;
  private long taskAtNanos;
  private SessionClock.Alarm alarm = () -> {};

  Deadline(SessionClock clock, Runnable expired) {
    this.clock = clock;
    this.expired = expired;
  }

  void start(Duration duration) {
    armed = true;
    atNanos = clock.nanos() + duration.toNanos();
    if (!scheduled || taskAtNanos - atNanos > 0) {
      alarm.cancel();
      schedule();
    }
  }

  /// Forgets the time and the task behind it.
  void stop() {
    armed = false;
    scheduled = false;
    alarm.cancel();
  }

  boolean isArmed() {
    return armed;
  }

  /// Time until it fires; zero if it is not armed.
  Duration left() {
    return armed ? Duration.ofNanos(Math.max(0, atNanos - clock.nanos())) : Duration.ZERO;
  }

  private void schedule() {
    scheduled = true;
    taskAtNanos = atNanos;
    alarm = clock.schedule(Duration.ofNanos(Math.max(0, atNanos - clock.nanos())), this::look);
  }

  private void look() {
    scheduled = false;
    if (!armed) {
      return;
    }
    if (atNanos - clock.nanos() > 0) {
      schedule();
      return;
    }
    armed = false;
    expired.run();
  }
}
