package io.margay.agent.loop;

import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;

/// A running loop as a test sees it: what it owns is looked at on it, and a bug on it fails the
/// test.
public final class TestLoop implements AutoCloseable {

  /// More than anything here takes, on the slowest machine.
  private static final long DEADLINE_SECONDS = 60;

  private static final long GLANCE_NANOS = 1_000_000;

  private final BlockingQueue<Throwable> bugs = new LinkedBlockingQueue<>();
  private final Loop loop;

  public TestLoop(String name) {
    loop = new Loop(name, bugs::add);
  }

  public Loop loop() {
    return loop;
  }

  /// What `look` finds on the loop, once everything posted before has been settled.
  public <T> T see(Callable<T> look) {
    // What is posted after the first has run is of a later batch.
    ask(() -> true);
    return ask(look);
  }

  private <T> T ask(Callable<T> look) {
    CompletableFuture<T> found = new CompletableFuture<>();
    loop.post(
        () -> {
          try {
            found.complete(look.call());
          } catch (Exception failed) {
            found.completeExceptionally(failed);
          }
        });
    return get(found);
  }

  /// Runs `step` on the loop and waits until it is settled.
  public void run(Runnable step) {
    ask(
        () -> {
          step.run();
          return true;
        });
    ask(() -> true);
  }

  /// Looks again and again until what is seen is as wanted.
  public <T> T await(Callable<T> look, Predicate<T> wanted) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE_SECONDS);
    T seen = see(look);
    while (!wanted.test(seen)) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError("still " + seen + " after " + DEADLINE_SECONDS + " s");
      }
      LockSupport.parkNanos(GLANCE_NANOS);
      seen = see(look);
    }
    return seen;
  }

  /// What a future brings.
  public static <T> T get(CompletableFuture<T> future) {
    try {
      return future.get(DEADLINE_SECONDS, TimeUnit.SECONDS);
    } catch (Exception failed) {
      throw new AssertionError(failed);
    }
  }

  @Override
  public void close() {
    loop.close();
    if (!bugs.isEmpty()) {
      throw new AssertionError("a task on the loop threw", bugs.peek());
    }
  }
}
