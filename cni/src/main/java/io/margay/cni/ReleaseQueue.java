package io.margay.cni;

import io.margay.cni.spec.AttachmentId;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/// Gives addresses back after DEL has answered: no pod's end waits for etcd, or for another plugin.
/// The journal remembers what is owed; what is waiting here is only work that need not wait for the
/// next round of [CniVerbs#repeatReleases].
///
/// Other plugins have threads of their own: one that hangs delays nothing that is the datastore's.
public final class ReleaseQueue implements AutoCloseable {

  /// Releases at once; several share a transaction.
  static final int THREADS = 4;

  /// Releases waiting; further ones are left to the next round.
  static final int MAX_WAITING = 4096;

  private static final Duration IDLE = Duration.ofSeconds(10);

  /// Other plugins asked at once.
  private static final int FOREIGN_THREADS = 2;

  private final Executor executor;
  private final Executor foreign;
  private final Set<AttachmentId> waitingForForeign = ConcurrentHashMap.newKeySet();
  private int unfinished;

  /// @param executor runs the releases; one that runs them on the calling thread makes DEL wait
  public ReleaseQueue(Executor executor) {
    this(executor, executor);
  }

  private ReleaseQueue(Executor executor, Executor foreign) {
    this.executor = executor;
    this.foreign = foreign;
  }

  /// With threads of its own.
  public static ReleaseQueue start() {
    return new ReleaseQueue(
        threads(THREADS, "cni-release-"), threads(FOREIGN_THREADS, "cni-foreign-release-"));
  }

  private static ThreadPoolExecutor threads(int number, String name) {
    ThreadPoolExecutor threads =
        new ThreadPoolExecutor(
            number,
            number,
            IDLE.toSeconds(),
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            Thread.ofPlatform().daemon().name(name, 0).factory());
    threads.allowCoreThreadTimeOut(true);
    return threads;
  }

  /// A release that another plugin has a part in. One that waits already is not asked for again.
  void submitForeign(AttachmentId id, Runnable release) {
    if (waitingForForeign.size() < MAX_WAITING && waitingForForeign.add(id)) {
      foreign.execute(
          () -> {
            // Before the release: what is owed from here on is another one.
            waitingForForeign.remove(id);
            release.run();
          });
    }
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

  /// Waits until what was submitted so far, or since, is through; what other plugins have a part in
  /// frees no address of the cluster.
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
    for (Executor each : List.of(executor, foreign)) {
      if (each instanceof ThreadPoolExecutor threads) {
        threads.shutdownNow();
      }
    }
  }
}
