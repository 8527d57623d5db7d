package io.margay.cni;

import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/// Gives addresses back to the datastore after DEL has answered: no pod's end waits for etcd. The
/// journal remembers what is owed; what is waiting here is only work that need not wait for the
/// next round of [CniVerbs#repeatReleases].
public final class ReleaseQueue implements AutoCloseable {

  /// Releases at once; several share a transaction.
  static final int THREADS = 4;

  /// Releases waiting; further ones are left to the next round.
  static final int MAX_WAITING = 4096;

  private static final Duration IDLE = Duration.ofSeconds(10);

  private final Executor executor;
  private int unfinished;

  /// @param executor runs the releases; one that runs them on the calling thread makes DEL wait
  public ReleaseQueue(Executor executor) {
    this.executor = executor;
  }

  /// With threads of its own.
  public static ReleaseQueue start() {
    ThreadPoolExecutor threads =
        new ThreadPoolExecutor(
            THREADS,
            THREADS,
            IDLE.toSeconds(),
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            Thread.ofPlatform().daemon().name("cni-release-", 0).factory());
    threads.allowCoreThreadTimeOut(true);
    return new ReleaseQueue(threads);
  }

  void submit(Runnable release) {
    synchronized (this) {
      if (unfinished >= MAX_WAITING) {
        return;
      }
      unfinished++;
    }
    executor.execute(
        () -> {
          try {
            release.run();
          } finally {
            finished();
          }
        });
  }

  private synchronized void finished() {
    unfinished--;
    notifyAll();
  }

  /// Waits until what was submitted so far, or since, is through.
  ///
  /// @return whether anything was waiting at all
  synchronized boolean settle(Duration patience) {
    if (unfinished == 0) {
      return false;
    }
    long deadline = System.nanoTime() + patience.toNanos();
    try {
      for (long left = patience.toMillis();
          unfinished > 0 && left > 0;
          left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime())) {
        wait(left);
      }
    } catch (InterruptedException stopping) {
      Thread.currentThread().interrupt();
    }
    return true;
  }

  /// What has not begun is left to the next start.
  @Override
  public void close() {
    if (executor instanceof ThreadPoolExecutor threads) {
      threads.shutdownNow();
    }
  }
}
