package io.margay.datastore;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;

/// Rebuilds a store's content from what a syncer tells, and lets a test wait for it.
public final class RecordingSync implements SyncListener {

  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final Map<String, String> content = new TreeMap<>();
  private final List<Change> changes = new ArrayList<>();
  private final List<SyncStatus> statuses = new ArrayList<>();

  @Override
  public synchronized void onChanges(List<Change> more) {
    for (Change change : more) {
      switch (change) {
        case Change.Put(KeyValue item) -> content.put(item.key(), item.value());
        case Change.Delete(String key, long _) -> content.remove(key);
      }
    }
    changes.addAll(more);
    notifyAll();
  }

  @Override
  public synchronized void onStatus(SyncStatus status) {
    statuses.add(status);
    notifyAll();
  }

  public synchronized Map<String, String> content() {
    return Map.copyOf(content);
  }

  public synchronized List<Change> changes() {
    return List.copyOf(changes);
  }

  public synchronized List<SyncStatus> statuses() {
    return List.copyOf(statuses);
  }

  public synchronized boolean isInSync() {
    return !statuses.isEmpty() && statuses.getLast() instanceof SyncStatus.InSync;
  }

  public synchronized boolean isStale() {
    return !statuses.isEmpty() && statuses.getLast() instanceof SyncStatus.Stale;
  }

  /// @throws AssertionError when it does not come true in 30 s
  public synchronized void await(String what, Predicate<RecordingSync> condition)
      throws InterruptedException {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.test(this)) {
      long left = (deadline - System.nanoTime()) / 1_000_000;
      if (left <= 0) {
        throw new AssertionError(
            what
                + ": not in "
                + PATIENCE.toSeconds()
                + " s; "
                + changes.size()
                + " changes, statuses "
                + statuses);
      }
      wait(left);
    }
  }
}
