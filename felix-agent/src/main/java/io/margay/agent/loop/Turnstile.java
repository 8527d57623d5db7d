package io.margay.agent.loop;

import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/// Lets a poster be only some tasks ahead of a loop, so that what large tasks carry does not pile
/// up before it. The poster waits as long as the loop lives: one that works through a large cluster
/// on a busy machine is slow, not stuck.
public final class Turnstile {

  /// How often a waiting poster looks whether the loop still lives.
  private static final Duration LOOK = Duration.ofSeconds(1);

  private final Loop loop;
  private final Semaphore room;

  /// @param limit tasks that may wait
  public Turnstile(Loop loop, int limit) {
    this.loop = loop;
    room = new Semaphore(limit);
  }

  /// As [Loop#postUnlessEnded], once there is room.
  ///
  /// @return whether the loop still runs
  public boolean post(Runnable task) {
    try {
      while (!room.tryAcquire(LOOK.toMillis(), TimeUnit.MILLISECONDS)) {
        if (loop.hasEnded()) {
          return false;
        }
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while waiting for a loop", interrupted);
    }
    return loop.postUnlessEnded(
        () -> {
          try {
            task.run();
          } finally {
            room.release();
          }
        });
  }
}
