package io.margay.bgp.speaker;

import io.netty.channel.EventLoop;
import io.netty.util.concurrent.Future;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/// The `bgp-io` loop and the system's clocks.
///
/// @param failed told of a bug in a task: the loop itself would keep it to itself
record NettyClock(EventLoop loop, InstantSource source, Consumer<Throwable> failed)
    implements SessionClock {

  @Override
  public long nanos() {
    return System.nanoTime();
  }

  @Override
  public Instant instant() {
    return source.instant();
  }

  @Override
  public Alarm schedule(Duration after, Runnable task) {
    Future<?> scheduled = loop.schedule(() -> guard(task), after.toNanos(), TimeUnit.NANOSECONDS);
    return () -> scheduled.cancel(false);
  }

  /// Once the loop has ended nothing is left to be done.
  @Override
  public void execute(Runnable task) {
    try {
      loop.execute(() -> guard(task));
    } catch (RejectedExecutionException ended) {
      if (!loop.isShuttingDown()) {
        throw ended;
      }
    }
  }

  /// Runs a task on the loop, and tells of a bug in it.
  void guard(Runnable task) {
    try {
      task.run();
    } catch (RuntimeException | Error bug) {
      failed.accept(bug);
    }
  }
}
