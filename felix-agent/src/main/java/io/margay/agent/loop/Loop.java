package io.margay.agent.loop;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.PriorityQueue;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// A thread that owns a body of state. Other threads reach the state by [#post] only.
///
/// Tasks run in the order they were posted. After a batch (everything that was waiting) the loop
/// runs its *settle* step once, so that a burst of changes is computed or applied together and a
/// single change at once.
///
/// A task that throws is a bug: the loop hands it to `onBug` and stops. An agent that is wrong must
/// not limp on.
public final class Loop implements AutoCloseable {

  /// How many posts may wait before the poster has to.
  public static final int QUEUE_LIMIT = 65_536;

  /// How long a poster waits for room before the loop counts as stuck.
  public static final Duration POST_LIMIT = Duration.ofSeconds(30);

  private static final int BATCH_LIMIT = 4_096;

  private final ArrayBlockingQueue<Runnable> queue = new ArrayBlockingQueue<>(QUEUE_LIMIT);
  private final PriorityQueue<Timer> timers = new PriorityQueue<>();
  private final AtomicLong timerOrder = new AtomicLong();
  private final Consumer<Throwable> onBug;
  private final Thread thread;
  private Runnable settle = () -> {};
  private volatile boolean closed;

  /// @param name the thread's name
  /// @param onBug called on the loop's thread with what a task threw; the loop ends after it
  public Loop(String name, Consumer<Throwable> onBug) {
    this.onBug = onBug;
    this.thread = Thread.ofPlatform().name(name).unstarted(this::run);
  }

  /// Starts the loop.
  ///
  /// @param settle runs on the loop after each batch of tasks
  public void start(Runnable settle) {
    this.settle = settle;
    thread.start();
  }

  /// Runs `task` on the loop, after everything posted before it.
  ///
  /// @throws IllegalStateException when the loop has ended or has not taken a task for
  ///   [#POST_LIMIT]
  public void post(Runnable task) {
    if (closed) {
      throw new IllegalStateException("loop " + thread.getName() + " has ended");
    }
    try {
      if (!queue.offer(task, POST_LIMIT.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new IllegalStateException(
            "loop "
                + thread.getName()
                + " has "
                + QUEUE_LIMIT
                + " tasks waiting and takes no more");
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(
          "interrupted while posting to loop " + thread.getName(), interrupted);
    }
  }

  boolean hasEnded() {
    return closed;
  }

  /// As [#post], for what an ended loop need not do any more.
  ///
  /// @return whether the loop still runs
  public boolean postUnlessEnded(Runnable task) {
    try {
      post(task);
      return true;
    } catch (IllegalStateException refused) {
      if (closed) {
        return false;
      }
      throw refused;
    }
  }

  /// Runs `task` on the loop after `delay`. May be called from any thread.
  public void schedule(Duration delay, Runnable task) {
    long due = System.nanoTime() + delay.toNanos();
    Timer timer = new Timer(due, timerOrder.incrementAndGet(), task);
    if (isOnLoop()) {
      timers.add(timer);
    } else {
      post(() -> timers.add(timer));
    }
  }

  public boolean isOnLoop() {
    return Thread.currentThread() == thread;
  }

  /// Entry points that touch the loop's state call this first.
  public void assertOnLoop() {
    if (!isOnLoop()) {
      throw new IllegalStateException(
          "called on " + Thread.currentThread().getName() + ", not on loop " + thread.getName());
    }
  }

  /// Ends the loop after the task it is running; what still waits is dropped.
  @Override
  public void close() {
    closed = true;
    queue.offer(() -> {});
    if (!isOnLoop() && thread.isAlive()) {
      try {
        thread.join(Duration.ofSeconds(5));
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private void run() {
    List<Runnable> batch = new ArrayList<>();
    try {
      while (!closed) {
        Runnable first = next();
        if (first != null) {
          batch.add(first);
          queue.drainTo(batch, BATCH_LIMIT);
        }
        takeDueTimers(batch);
        for (Runnable task : batch) {
          if (closed) {
            return;
          }
          task.run();
        }
        if (!batch.isEmpty()) {
          batch.clear();
          settle.run();
        }
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    } catch (Throwable bug) {
      closed = true;
      onBug.accept(bug);
    }
  }

  private @Nullable Runnable next() throws InterruptedException {
    Timer timer = timers.peek();
    if (timer == null) {
      return queue.take();
    }
    long wait = timer.due - System.nanoTime();
    return wait <= 0 ? queue.poll() : queue.poll(wait, TimeUnit.NANOSECONDS);
  }

  private void takeDueTimers(List<Runnable> batch) {
    long now = System.nanoTime();
    while (!timers.isEmpty() && timers.peek().due - now <= 0) {
      batch.add(timers.remove().task);
    }
  }

  private record Timer(long due, long order, Runnable task) implements Comparable<Timer> {
    @Override
    public int compareTo(Timer other) {
      int byDue = Long.signum(due - other.due);
      return byDue != 0 ? byDue : Long.compare(order, other.order);
    }
  }
}
