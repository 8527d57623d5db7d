package io.margay.datastore;

import io.margay.datastore.DatastoreException.Kind;
import io.margay.datastore.WatchListener.WatchEnd;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/// Follows some prefixes of the store and tells a listener every difference: lists, watches from
/// there, and after any trouble goes on from the last revision it has really seen. If that revision
/// is compacted away, or the store went back in time, it lists again and tells only the
/// differences, vanished keys as deletions. Documents it hands on and forgets ([KnownKeys]).
///
/// The first listing of a prefix comes in parts, which are nobody's business until the status says
/// that all is there. What a later one finds comes in one call: listings have the order of keys,
/// and a part of the differences would be a state that the store never had.
///
/// Prefixes are kept apart: a change that spans two may arrive in two calls. One thread owns
/// everything here.
public final class Syncer implements AutoCloseable {

  /// First wait after a failure; doubles with each further one.
  public static final Duration MIN_BACKOFF = Duration.ofMillis(100);

  /// Longest wait between two attempts.
  public static final Duration MAX_BACKOFF = Duration.ofSeconds(5);

  /// Wait after the store has refused us (user, certificate, role): that does not mend itself, so
  /// it is asked seldom.
  public static final Duration REFUSED_BACKOFF = Duration.ofSeconds(30);

  /// The longest a lost store goes unnoticed: keepalive of a silent connection (12 s), or a page of
  /// a listing that never comes (10 s), and room for a busy machine.
  public static final Duration STALE_BOUND = Duration.ofSeconds(20);

  /// How often everything is listed and compared although nothing seems wrong.
  public static final Duration RELIST_INTERVAL = Duration.ofMinutes(10);

  /// Batches of changes waiting for the listener; beyond that they are dropped and the prefix is
  /// listed again.
  public static final int MAX_WAITING_BATCHES = 4096;

  /// The most changes of a first listing told at once.
  public static final int BATCH = 128;

  private static final String REFUSED = Kind.UNAUTHORISED.name();

  private static final StoreId NO_STORE = new StoreId("", 0);

  private static final Logger LOG = LoggerFactory.getLogger(Syncer.class);

  private final Datastore datastore;
  private final SyncListener listener;
  private final InstantSource clock;
  private final RandomGenerator jitter;
  private final StateRecorder recorder;
  private final List<PrefixSync> prefixes = new ArrayList<>();
  private final ScheduledThreadPoolExecutor loop;
  private @Nullable SyncStatus told;
  private boolean toldRefused;
  private @Nullable Instant lostSince;

  /// Those that nobody has taken.
  private final Queue<Seed> seeds = new ConcurrentLinkedQueue<>();

  /// @param due on [System#nanoTime]
  private record Seed(long due, Supplier<List<KeyValue>> items) {}

  public Syncer(
      Datastore datastore,
      List<String> prefixes,
      SyncListener listener,
      InstantSource clock,
      RandomGenerator jitter) {
    this(datastore, prefixes, listener, StateRecorder.NONE, clock, jitter);
  }

  /// @param recorder told everything that the listener is told
  public Syncer(
      Datastore datastore,
      List<String> prefixes,
      SyncListener listener,
      StateRecorder recorder,
      InstantSource clock,
      RandomGenerator jitter) {
    this.recorder = recorder;
    this.datastore = datastore;
    this.listener = listener;
    this.clock = clock;
    this.jitter = jitter;
    prefixes.forEach(prefix -> this.prefixes.add(new PrefixSync(prefix)));
    loop =
        new ScheduledThreadPoolExecutor(
            1, Thread.ofPlatform().daemon().name("datastore-syncer").factory());
    loop.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
  }

  public void start() {
    post(
        () -> {
          tellStatus("the first listing");
          recorder.begin();
          for (PrefixSync prefix : prefixes) {
            prefix.list();
            // A store that hangs takes its time for each of them.
            seeds.stream().filter(seed -> System.nanoTime() - seed.due() >= 0).forEach(this::take);
          }
          prefixes.forEach(PrefixSync::compareEveryInterval);
        });
  }

  /// Delivers a last-known-good snapshot for whatever has not been listed yet, so that its holder
  /// can work while the store is away. What the store says later replaces it.
  public void seed(List<KeyValue> items) {
    post(() -> seedNow(items));
  }

  private void seedNow(List<KeyValue> items) {
    for (PrefixSync prefix : prefixes) {
      prefix.seed(items.stream().filter(item -> item.key().startsWith(prefix.prefix)).toList());
    }
    tellStatus("the datastore has not answered yet; this is the last known good snapshot");
  }

  /// As `seed`, but only if the store has not told everything within `patience`: what is in the
  /// kernel then still follows the store's latest word, and an older snapshot would take it back.
  ///
  /// @param items asked on the syncer's thread, at most once; empty = there is no snapshot
  public void seedUnlessAnswered(Duration patience, Supplier<List<KeyValue>> items) {
    Seed seed = new Seed(System.nanoTime() + patience.toNanos(), items);
    seeds.add(seed);
    later(patience, () -> take(seed));
  }

  private void take(Seed seed) {
    if (!seeds.remove(seed) || prefixes.stream().allMatch(prefix -> prefix.complete)) {
      return;
    }
    List<KeyValue> known = seed.items().get();
    if (!known.isEmpty()) {
      seedNow(known);
    }
  }

  /// Tells the recorder everything anew.
  public void recordAgain() {
    post(
        () -> {
          recorder.begin();
          prefixes.forEach(prefix -> prefix.recorded = false);
          prefixes.forEach(PrefixSync::list);
        });
  }

  private void tellComplete() {
    for (PrefixSync prefix : prefixes) {
      if (!prefix.recorded || !prefix.store.cluster().equals(prefixes.getFirst().store.cluster())) {
        return;
      }
    }
    recorder.complete(prefixes.getFirst().store, lowestRevision());
  }

  private long lowestRevision() {
    return prefixes.stream().mapToLong(prefix -> prefix.next - 1).min().orElse(0);
  }

  /// Ends all watches. The listener may be called once more if a call is under way.
  @Override
  public void close() {
    post(() -> prefixes.forEach(PrefixSync::stop));
    loop.shutdown();
  }

  private void post(Runnable task) {
    try {
      loop.execute(() -> guarded(task));
    } catch (RejectedExecutionException closed) {
      // News after close is nobody's.
    }
  }

  private void later(Duration delay, Runnable task) {
    try {
      loop.schedule(() -> guarded(task), delay.toMillis(), TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException closed) {
      // As above.
    }
  }

  /// A listener that throws is a bug; a syncer that went on would hide a gap. The thread's handler
  /// decides what dies.
  private void guarded(Runnable task) {
    try {
      task.run();
    } catch (RuntimeException | Error bug) {
      loop.shutdownNow();
      Thread current = Thread.currentThread();
      current.getUncaughtExceptionHandler().uncaughtException(current, bug);
    }
  }

  private void tellStatus(String reason) {
    SyncStatus now = status(reason);
    SyncStatus before = told;
    boolean refused = reason.startsWith(REFUSED);
    if (before == null
        || !before.getClass().equals(now.getClass())
        || (refused != toldRefused && !(now instanceof SyncStatus.InSync))) {
      told = now;
      toldRefused = refused;
      listener.onStatus(now);
    }
  }

  private SyncStatus status(String reason) {
    if (prefixes.stream().anyMatch(prefix -> !prefix.complete)) {
      return new SyncStatus.Waiting(reason);
    }
    if (prefixes.stream().allMatch(prefix -> prefix.fresh)) {
      lostSince = null;
      return new SyncStatus.InSync(lowestRevision());
    }
    Instant since = lostSince;
    if (since == null) {
      since = clock.instant();
      lostSince = since;
    }
    return new SyncStatus.Stale(since, reason);
  }

  /// One prefix. `generation` tells the callbacks of the present watch from those of one given up.
  private final class PrefixSync {
    private final String prefix;
    private final KnownKeys known = new KnownKeys();
    private final AtomicInteger waiting = new AtomicInteger();
    private StoreId store = NO_STORE;
    private long next = 1;
    private int generation;
    private int failures;
    private boolean complete;
    private boolean listed;
    private boolean recorded;
    private boolean fresh;
    private @Nullable Watch watch;

    PrefixSync(String prefix) {
      this.prefix = prefix;
    }

    void seed(List<KeyValue> items) {
      if (listed) {
        return;
      }
      List<Change> changes = new ArrayList<>();
      for (KeyValue item : items) {
        known.put(item);
        changes.add(new Change.Put(item));
      }
      complete = true;
      tell(changes);
    }

    void list() {
      giveUpWatch();
      known.beginListing();
      List<Change> changes = new ArrayList<>();
      Listing head;
      try {
        if (prefixes.stream().noneMatch(any -> any.listed)) {
          // Asked with less patience than a page of a listing has: a snapshot may be waiting.
          datastore.get(prefix);
        }
        head = datastore.list(prefix, item -> listed(item, changes));
      } catch (DatastoreException failed) {
        if (complete) {
          forgetUnlearned(changes);
        } else {
          tell(changes);
        }
        failed(this::list, failed);
        return;
      }
      if (isReplaced(head)) {
        listener.onReplaced();
      }
      if (complete) {
        changes.forEach(this::learn);
      }
      for (String key : known.missing()) {
        Change gone = new Change.Delete(key, head.revision());
        learn(gone);
        changes.add(gone);
      }
      store = head.store();
      next = head.revision() + 1;
      listed = true;
      complete = true;
      fresh = true;
      recorded = true;
      tellComplete();
      tell(changes);
      tellStatus("");
      watchFromNext();
    }

    /// What a listing that broke off recorded of keys that are unknown: if they go before the next
    /// one, nobody says so.
    private void forgetUnlearned(List<Change> changes) {
      for (Change change : changes) {
        if (!known.has(change.key())) {
          recorder.delete(change.key());
        }
      }
    }

    private boolean isReplaced(Listing head) {
      return listed && (!store.isContinuedBy(head.store()) || head.revision() < next - 1);
    }

    private void listed(KeyValue item, List<Change> changes) {
      boolean isNews = known.isListedAnew(item);
      recorder.put(item, isNews && !complete);
      if (!isNews) {
        return;
      }
      changes.add(new Change.Put(item));
      if (!complete) {
        known.put(item);
        if (changes.size() == BATCH) {
          tell(changes);
          changes.clear();
        }
      }
    }

    private void learn(Change change) {
      switch (change) {
        case Change.Put(KeyValue item) -> {
          known.put(item);
          recorder.put(item, true);
        }
        case Change.Delete(String key, long _) -> {
          known.remove(key);
          recorder.delete(key);
        }
      }
    }

    /// Looks behind the watch's back, for ever.
    void compareEveryInterval() {
      later(
          RELIST_INTERVAL.plusMillis(jitter.nextLong(RELIST_INTERVAL.toMillis() / 10)),
          () -> {
            if (fresh) {
              list();
            }
            compareEveryInterval();
          });
    }

    private void watchFromNext() {
      giveUpWatch();
      int mine = generation;
      watch =
          datastore.watch(
              prefix,
              next,
              new WatchListener() {
                @Override
                public void onStarted(StoreId id, long storeRevision) {
                  postFor(mine, () -> started(id, storeRevision));
                }

                @Override
                public void onChanges(List<Change> changes) {
                  if (waiting.incrementAndGet() > MAX_WAITING_BATCHES) {
                    waiting.decrementAndGet();
                    postFor(mine, PrefixSync.this::list);
                    return;
                  }
                  post(
                      () -> {
                        waiting.decrementAndGet();
                        if (generation == mine) {
                          changed(changes);
                        }
                      });
                }

                @Override
                public void onProgress(long revision) {
                  postFor(mine, () -> next = Math.max(next, revision + 1));
                }

                @Override
                public void onEnd(WatchEnd end) {
                  postFor(mine, () -> ended(end));
                }
              });
    }

    private void postFor(int mine, Runnable task) {
      post(
          () -> {
            if (generation == mine) {
              task.run();
            }
          });
    }

    private void started(StoreId id, long storeRevision) {
      try {
        if (!store.isContinuedBy(id) || (storeRevision < next - 1 && hasGoneBack())) {
          LOG.atWarn()
              .addKeyValue("prefix", prefix)
              .addKeyValue("seenRevision", next - 1)
              .addKeyValue("storeRevision", storeRevision)
              .addKeyValue("seenStore", store)
              .addKeyValue("store", id)
              .log("the datastore is another, or went back in time; listing everything again");
          retry(this::list, "the datastore is another, or went back in time");
          return;
        }
      } catch (DatastoreException failed) {
        failed(this::watchFromNext, failed);
        return;
      }
      store = id;
      fresh = true;
      tellStatus("");
      int mine = generation;
      later(
          MAX_BACKOFF,
          () -> {
            if (generation == mine) {
              failures = 0;
            }
          });
    }

    /// Whether the whole cluster is behind what was seen, and not only the member that watches.
    private boolean hasGoneBack() throws DatastoreException {
      return datastore.getAll(List.of(prefix)).revision() < next - 1;
    }

    private void changed(List<Change> changes) {
      List<Change> fresher = new ArrayList<>(changes.size());
      long seen = next;
      for (Change change : changes) {
        if (change.modRevision() < next) {
          continue;
        }
        seen = Math.max(seen, change.modRevision() + 1);
        learn(change);
        fresher.add(change);
      }
      next = seen;
      tellComplete();
      tell(fresher);
    }

    private void ended(WatchEnd end) {
      switch (end) {
        case WatchEnd.Compacted(long revision) ->
            retry(this::list, "history up to revision " + revision + " is compacted");
        case WatchEnd.Failed(DatastoreException cause) -> failed(this::watchFromNext, cause);
        case WatchEnd.Moved() -> watchFromNext();
      }
    }

    private void failed(Runnable again, DatastoreException cause) {
      String reason = String.valueOf(cause.getMessage());
      if (cause.kind() == Kind.UNAUTHORISED) {
        retry(again, REFUSED + ": " + reason, REFUSED_BACKOFF);
      } else {
        retry(again, reason);
      }
    }

    private void retry(Runnable again, String reason) {
      retry(again, reason, backoff(failures));
    }

    private void retry(Runnable again, String reason, Duration wait) {
      giveUpWatch();
      fresh = false;
      failures++;
      LOG.atLevel(failures == 1 ? Level.WARN : Level.DEBUG)
          .addKeyValue("prefix", prefix)
          .addKeyValue("reason", reason)
          .addKeyValue("retryInMillis", wait.toMillis())
          .log("lost the datastore; what is known stays in force");
      tellStatus(reason);
      int mine = generation;
      later(
          wait,
          () -> {
            if (generation == mine) {
              again.run();
            }
          });
    }

    private void giveUpWatch() {
      generation++;
      Watch old = watch;
      watch = null;
      if (old != null) {
        old.close();
      }
    }

    void stop() {
      giveUpWatch();
    }

    private void tell(List<Change> changes) {
      if (!changes.isEmpty()) {
        listener.onChanges(List.copyOf(changes));
      }
    }
  }

  /// Doubling, bounded, and somewhere in the upper half, so that many nodes don't return in step.
  private Duration backoff(int failuresBefore) {
    long full =
        Math.min(MAX_BACKOFF.toMillis(), MIN_BACKOFF.toMillis() << Math.min(failuresBefore, 16));
    return Duration.ofMillis(full / 2 + jitter.nextLong(full / 2 + 1));
  }
}
