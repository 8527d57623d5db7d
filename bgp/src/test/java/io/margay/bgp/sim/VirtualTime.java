package io.margay.bgp.sim;

import java.time.Duration;
import java.time.Instant;
import java.util.PriorityQueue;
import java.util.Random;

/// Time that passes only when an event says so. Events of one instant run in an order drawn from
/// the seed.
public final class VirtualTime {

  private static final Instant EPOCH = Instant.parse("2026-01-01T00:00:00Z");

  /// Something that will happen.
  public final class Event implements Comparable<Event> {
    private final long atNanos;
    private final int tie;
    private final Runnable task;

    private Event(long atNanos, Runnable task) {
      this.atNanos = atNanos;
      this.tie = random.nextInt();
      this.task = task;
    }

    public void cancel() {
      events.remove(this);
    }

    @Override
    public int compareTo(Event other) {
      int byTime = Long.compare(atNanos, other.atNanos);
      return byTime != 0 ? byTime : Integer.compare(tie, other.tie);
    }
  }

  private final Random random;
  private final PriorityQueue<Event> events = new PriorityQueue<>();
  private long nowNanos;

  public VirtualTime(Random random) {
    this.random = random;
  }

  public long nanos() {
    return nowNanos;
  }

  public Instant instant() {
    return EPOCH.plusNanos(nowNanos);
  }

  public Event at(long nanos, Runnable task) {
    Event event = new Event(Math.max(nanos, nowNanos), task);
    events.add(event);
    return event;
  }

  public Event after(Duration delay, Runnable task) {
    return at(nowNanos + delay.toNanos(), task);
  }

  /// Runs what happens next, unless that is later than the limit.
  ///
  /// @return whether anything ran
  public boolean step(long untilNanos) {
    Event next = events.peek();
    if (next == null || next.atNanos > untilNanos) {
      nowNanos = Math.max(nowNanos, untilNanos);
      return false;
    }
    events.remove();
    nowNanos = next.atNanos;
    next.task.run();
    return true;
  }
}
