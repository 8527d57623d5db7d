package io.margay.cni;

import io.margay.cni.spec.AttachmentId;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Releases attachments that are gone from the kernel although no DEL came: a runtime that was
/// killed, or never sends one, must not keep addresses for ever. An attachment has to be gone for a
/// while first, so that a DEL or a repeated ADD under way comes before us.
///
/// The kernel's notifications tell at once. Since they can be lost, and since a pod without a wire
/// of ours leaves none, everything is compared at start, after a loss, and now and then. Suspicions
/// belong to one thread, which the other methods hand over to.
public final class SelfReclaim implements AutoCloseable {

  /// How long an attachment has to be gone.
  public static final Duration DEFAULT_GRACE = Duration.ofSeconds(30);

  private static final Logger LOG = LoggerFactory.getLogger(SelfReclaim.class);

  private final CniVerbs verbs;
  private final Supplier<Duration> grace;
  private final InstantSource steady;
  private final ScheduledThreadPoolExecutor thread;
  private final Map<AttachmentId, Instant> suspected = new HashMap<>();
  private final AtomicLong reclaimed = new AtomicLong();

  /// Does nothing before [#start].
  ///
  /// @param grace how long an attachment has to be gone, and how often all are looked at; may
  ///   change
  /// @param steady a clock that nobody sets
  public SelfReclaim(CniVerbs verbs, Supplier<Duration> grace, InstantSource steady) {
    this.verbs = verbs;
    this.grace = grace;
    this.steady = steady;
    this.thread =
        new ScheduledThreadPoolExecutor(
            1, Thread.ofPlatform().daemon().name("cni-reclaim").factory());
    thread.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
  }

  /// Looks at all attachments now, and again and again. Call after [CniVerbs#recover].
  public void start() {
    post(this::goOn);
  }

  private void goOn() {
    try {
      compareAndSettle();
    } finally {
      later(this::goOn, grace.get().toMillis());
    }
  }

  /// A wire of ours was seen to vanish. From any thread; never blocks.
  public void onVanished(AttachmentId id) {
    post(() -> suspect(id));
  }

  /// A wire of ours had been down and carries packets again. From any thread; never blocks.
  public void onReturned(AttachmentId id) {
    post(() -> verbs.mend(id));
  }

  /// Something may have vanished unseen. From any thread; never blocks.
  public void onUncertain() {
    post(this::compareAndSettle);
  }

  private void post(Runnable task) {
    try {
      thread.execute(() -> guarded(task));
    } catch (RejectedExecutionException closed) {
      // The next start compares everything.
    }
  }

  /// How many attachments were released since the start.
  public long reclaimed() {
    return reclaimed.get();
  }

  private static void guarded(Runnable task) {
    try {
      task.run();
    } catch (RuntimeException bug) {
      LOG.atError().setCause(bug).log("self-reclaim failed; it is repeated");
    }
  }

  /// The time of a wire that came back and vanished again starts anew.
  void suspect(AttachmentId id) {
    if (verbs.looksGone(id)) {
      suspected.put(id, steady.instant().plus(grace.get()));
      settleLater();
    }
  }

  void compareAndSettle() {
    List<AttachmentId> gone = verbs.lookGone();
    suspected.keySet().retainAll(gone);
    Instant due = steady.instant().plus(grace.get());
    boolean anyNew = false;
    for (AttachmentId id : gone) {
      anyNew |= suspected.putIfAbsent(id, due) == null;
    }
    settle();
    if (anyNew) {
      settleLater();
    }
  }

  private void settleLater() {
    // A millisecond later than due, since the scheduler's clock is another one.
    later(this::settle, grace.get().toMillis() + 1);
  }

  private void later(Runnable task, long millis) {
    try {
      thread.schedule(() -> guarded(task), millis, TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException closed) {
      // The next start compares everything.
    }
  }

  /// Releases what has been gone for long enough. What can't be released now is tried again by a
  /// later comparison, which finds it gone as well.
  void settle() {
    Instant now = steady.instant();
    for (Map.Entry<AttachmentId, Instant> suspicion : Map.copyOf(suspected).entrySet()) {
      if (!suspicion.getValue().isAfter(now)) {
        suspected.remove(suspicion.getKey());
        if (verbs.reclaim(suspicion.getKey())) {
          reclaimed.incrementAndGet();
        }
      }
    }
  }

  @Override
  public void close() {
    thread.shutdownNow();
  }
}
