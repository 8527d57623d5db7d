package io.margay.datastore;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/// Remembers what a watch said and lets a test wait for it.
public final class RecordingWatch implements WatchListener {

  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private final List<Change> changes = new ArrayList<>();
  private final List<WatchEnd> ends = new ArrayList<>();
  private StoreId startedBy = new StoreId("nobody yet", 0);
  private long startedAt;

  @Override
  public synchronized void onStarted(StoreId store, long storeRevision) {
    startedBy = store;
    startedAt = storeRevision;
    notifyAll();
  }

  @Override
  public synchronized void onChanges(List<Change> more) {
    changes.addAll(more);
    notifyAll();
  }

  @Override
  public void onProgress(long revision) {}

  @Override
  public synchronized void onEnd(WatchEnd end) {
    ends.add(end);
    notifyAll();
  }

  public synchronized List<Change> changes() {
    return List.copyOf(changes);
  }

  public synchronized List<WatchEnd> ends() {
    return List.copyOf(ends);
  }

  public synchronized StoreId store() {
    return startedBy;
  }

  public synchronized long startedAt() {
    return startedAt;
  }

  /// @throws AssertionError when it does not come true in 20 s
  public synchronized void await(Predicate<RecordingWatch> condition) throws InterruptedException {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.test(this)) {
      long left = (deadline - System.nanoTime()) / 1_000_000;
      if (left <= 0) {
        throw new AssertionError(
            "not in " + PATIENCE.toSeconds() + " s; changes " + changes + ", ends " + ends);
      }
      wait(left);
    }
  }
}
