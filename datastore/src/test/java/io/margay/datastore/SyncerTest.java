package io.margay.datastore;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.datastore.DatastoreException.Kind;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class SyncerTest {

  private final InMemoryDatastore store = new InMemoryDatastore();
  private final RecordingSync seen = new RecordingSync();
  private final Syncer syncer =
      new Syncer(store, List.of("/a/", "/b/"), seen, InstantSource.system(), new Random(1));

  @AfterEach
  void close() {
    syncer.close();
    store.close();
  }

  private void put(String key, String value) throws DatastoreException {
    store.commit(Txn.builder().put(key, value).build());
  }

  @Test
  void what_is_there_comes_before_in_sync_and_news_after() throws Exception {
    put("/a/1", "x");
    put("/b/1", "y");
    put("/c/1", "z");
    syncer.start();
    seen.await("in sync", RecordingSync::isInSync);
    assertThat(seen.content()).isEqualTo(Map.of("/a/1", "x", "/b/1", "y"));
    assertThat(seen.statuses()).hasSize(2);
    assertThat(seen.statuses().getFirst()).isInstanceOf(SyncStatus.Waiting.class);
    put("/a/2", "n");
    store.commit(Txn.builder().delete("/b/1").build());
    seen.await("news", now -> now.content().equals(Map.of("/a/1", "x", "/a/2", "n")));
  }

  @Test
  void after_a_cut_it_goes_on_without_a_gap_or_a_repeat() throws Exception {
    syncer.start();
    seen.await("in sync", RecordingSync::isInSync);
    for (int i = 0; i < 20; i++) {
      put("/a/" + i, "1");
      if (i % 5 == 0) {
        store.cutWatches();
      }
    }
    seen.await("all", now -> now.content().size() == 20 && now.isInSync());
    assertThat(seen.changes()).hasSize(20).doesNotHaveDuplicates();
    assertThat(seen.statuses()).hasAtLeastOneElementOfType(SyncStatus.Stale.class);
  }

  @Test
  void after_compaction_vanished_keys_come_as_deletions() throws Exception {
    put("/a/kept", "1");
    put("/a/gone", "1");
    put("/a/changed", "1");
    syncer.start();
    seen.await("in sync", RecordingSync::isInSync);
    store.cutWatches();
    store.commit(Txn.builder().delete("/a/gone").put("/a/changed", "2").put("/a/new", "1").build());
    store.compact(store.revision());
    seen.await("caught up", now -> now.isInSync() && now.content().containsKey("/a/new"));
    assertThat(seen.content()).isEqualTo(Map.of("/a/kept", "1", "/a/changed", "2", "/a/new", "1"));
    assertThat(seen.changes().stream().filter(change -> change.key().equals("/a/kept"))).hasSize(1);
  }

  @Test
  void what_a_relisting_finds_comes_at_once_and_nothing_of_one_that_fails() throws Exception {
    FlakyListings flaky = new FlakyListings(store);
    List<Integer> sizes = new CopyOnWriteArrayList<>();
    SyncListener counting =
        new SyncListener() {
          @Override
          public void onChanges(List<Change> changes) {
            sizes.add(changes.size());
            seen.onChanges(changes);
          }

          @Override
          public void onStatus(SyncStatus status) {
            seen.onStatus(status);
          }
        };
    put("/a/000-gone", "1");
    try (Syncer relisting =
        new Syncer(flaky, List.of("/a/"), counting, InstantSource.system(), new Random(1))) {
      relisting.start();
      seen.await("in sync", RecordingSync::isInSync);
      sizes.clear();
      for (int i = 0; i < 3 * Syncer.BATCH; i++) {
        put("/a/" + i, "1");
      }
      store.commit(Txn.builder().delete("/a/000-gone").build());
      flaky.failing.set(2);
      relisting.recordAgain();
      seen.await("caught up", now -> now.isInSync() && now.content().containsKey("/a/7"));
      assertThat(flaky.failing).hasValue(0);
      assertThat(sizes)
          .as("no state that the store never had: listings come in the order of keys")
          .containsExactly(3 * Syncer.BATCH + 1);
      assertThat(seen.content()).hasSize(3 * Syncer.BATCH).doesNotContainKey("/a/000-gone");
    }
  }

  @Test
  void that_the_store_was_replaced_is_told_before_what_differs() throws Exception {
    List<String> told = new CopyOnWriteArrayList<>();
    SyncListener listening =
        new SyncListener() {
          @Override
          public void onChanges(List<Change> changes) {
            changes.forEach(change -> told.add(change.key()));
            seen.onChanges(changes);
          }

          @Override
          public void onReplaced() {
            told.add("replaced");
          }

          @Override
          public void onStatus(SyncStatus status) {
            seen.onStatus(status);
          }
        };
    put("/a/since-the-backup", "1");
    try (InMemoryDatastore restored = new InMemoryDatastore()) {
      FlakyListings either = new FlakyListings(store);
      restored.commit(Txn.builder().put("/a/of-the-backup", "1").build());
      try (Syncer syncing =
          new Syncer(either, List.of("/a/"), listening, InstantSource.system(), new Random(1))) {
        syncing.start();
        seen.await("in sync", RecordingSync::isInSync);
        put("/a/more", "1");
        syncing.recordAgain();
        seen.await("more", now -> now.content().containsKey("/a/more"));
        assertThat(told).as("the same store").doesNotContain("replaced");
        told.clear();
        either.store = restored;
        syncing.recordAgain();
        seen.await("restored", now -> now.content().containsKey("/a/of-the-backup"));
        assertThat(told)
            .containsExactly("replaced", "/a/of-the-backup", "/a/more", "/a/since-the-backup");
      }
    }
  }

  /// A store whose watches tell nothing, and whose listings break off half way as often as told.
  private static final class FlakyListings implements Datastore {
    private volatile InMemoryDatastore store;
    private final AtomicInteger failing = new AtomicInteger();
    private volatile List<String> goneAfterFailure = List.of();

    FlakyListings(InMemoryDatastore store) {
      this.store = store;
    }

    @Override
    public Listing list(String prefix, Consumer<KeyValue> each) throws DatastoreException {
      Listing all = store.list(prefix);
      if (failing.get() > 0) {
        failing.decrementAndGet();
        all.items().subList(0, all.items().size() / 2).forEach(each);
        for (String key : goneAfterFailure) {
          store.commit(Txn.builder().delete(key).build());
        }
        throw new DatastoreException(Kind.DEADLINE, "flaky", "no answer half way");
      }
      all.items().forEach(each);
      return new Listing(all.store(), all.revision(), List.of());
    }

    @Override
    public Listing list(String prefix) throws DatastoreException {
      return store.list(prefix);
    }

    @Override
    public Optional<KeyValue> get(String key) throws DatastoreException {
      return store.get(key);
    }

    @Override
    public Listing getAll(List<String> keys) throws DatastoreException {
      return store.getAll(keys);
    }

    @Override
    public CommitResult commit(Txn txn) throws DatastoreException {
      return store.commit(txn);
    }

    @Override
    public Watch watch(String prefix, long fromRevision, WatchListener listener) {

      return () -> {};
    }

    @Override
    public void close() {}
  }

  @Test
  void a_snapshot_fills_in_until_the_store_answers_and_is_then_corrected() throws Exception {
    put("/a/live", "1");
    syncer.seed(
        List.of(
            new KeyValue("/a/old", "1", 3),
            new KeyValue("/b/old", "1", 4),
            new KeyValue("/x/no", "1", 5)));
    seen.await("stale", RecordingSync::isStale);
    assertThat(seen.content()).containsOnlyKeys("/a/old", "/b/old");
    syncer.start();
    seen.await("in sync", RecordingSync::isInSync);
    assertThat(seen.content()).isEqualTo(Map.of("/a/live", "1"));
  }

  @Test
  void a_store_that_is_away_is_waited_for_and_named() throws Exception {
    store.close();
    syncer.start();
    seen.await("waiting", now -> !now.statuses().isEmpty());
    assertThat(seen.statuses()).hasOnlyElementsOfType(SyncStatus.Waiting.class);
    assertThat(seen.changes()).isEmpty();
  }

  @Test
  void a_snapshot_is_not_asked_for_when_the_store_has_answered() throws Exception {
    put("/a/live", "1");
    CompletableFuture<Void> asked = new CompletableFuture<>();
    syncer.start();
    seen.await("in sync", RecordingSync::isInSync);
    syncer.seedUnlessAnswered(
        Duration.ZERO,
        () -> {
          asked.complete(null);
          return List.of(new KeyValue("/a/old", "1", 3));
        });
    // Answered on the same thread, after the moment the snapshot would have been read.
    put("/a/next", "1");
    seen.await("next", now -> now.content().containsKey("/a/next"));
    assertThat(asked).isNotDone();
    assertThat(seen.content()).containsOnlyKeys("/a/live", "/a/next");
  }

  @Test
  void a_snapshot_is_used_when_the_store_does_not_answer_and_none_changes_nothing()
      throws Exception {
    store.close();
    syncer.start();
    syncer.seedUnlessAnswered(Duration.ZERO, List::of);
    syncer.seedUnlessAnswered(Duration.ofMillis(1), () -> List.of(new KeyValue("/b/old", "1", 3)));
    seen.await("seeded", RecordingSync::isStale);
    assertThat(seen.content()).isEqualTo(Map.of("/b/old", "1"));
  }

  /// A store that says nothing: whoever asks gives up after a while.
  private static final class SilentDatastore implements Datastore {
    private final AtomicInteger asked = new AtomicInteger();

    private DatastoreException silence() {
      asked.incrementAndGet();
      LockSupport.parkNanos(20_000_000);
      return new DatastoreException(Kind.DEADLINE, "silent", "no answer");
    }

    @Override
    public Optional<KeyValue> get(String key) throws DatastoreException {
      throw silence();
    }

    @Override
    public Listing getAll(List<String> keys) throws DatastoreException {
      throw silence();
    }

    @Override
    public Listing list(String prefix) {
      throw new AssertionError("a listing has more patience than a snapshot");
    }

    @Override
    public CommitResult commit(Txn txn) throws DatastoreException {
      throw silence();
    }

    @Override
    public Watch watch(String prefix, long fromRevision, WatchListener listener) {
      throw new IllegalStateException("nothing was listed");
    }

    @Override
    public void close() {}
  }

  @Test
  void a_snapshot_is_not_held_up_by_each_prefix_in_turn_where_the_store_hangs() throws Exception {
    SilentDatastore silent = new SilentDatastore();
    CompletableFuture<Integer> askedBefore = new CompletableFuture<>();
    List<String> prefixes = List.of("/a/", "/b/", "/c/", "/d/", "/e/", "/f/", "/g/", "/h/");
    try (Syncer seeded =
        new Syncer(silent, prefixes, seen, InstantSource.system(), new Random(1))) {
      seeded.start();
      seeded.seedUnlessAnswered(
          Duration.ofMillis(30),
          () -> {
            askedBefore.complete(silent.asked.get());
            return List.of(new KeyValue("/b/old", "1", 3));
          });
      assertThat(askedBefore.get(20, TimeUnit.SECONDS)).isLessThan(prefixes.size());
      seen.await("seeded", RecordingSync::isStale);
      assertThat(seen.content()).isEqualTo(Map.of("/b/old", "1"));
    }
  }

  @Test
  void a_recorder_forgets_what_only_a_listing_that_broke_off_had() throws Exception {
    FlakyListings flaky = new FlakyListings(store);
    flaky.failing.set(1);
    flaky.goneAfterFailure = List.of("/a/0-gone");
    put("/a/0-gone", "1");
    put("/a/1", "1");
    Recorded recorded = new Recorded();
    try (Syncer recording =
        new Syncer(flaky, List.of("/a/"), seen, recorded, InstantSource.system(), new Random(1))) {
      recording.seed(List.of(new KeyValue("/a/1", "0", 1)));
      recording.start();
      seen.await("in sync", RecordingSync::isInSync);
      assertThat(recorded.whole).isEqualTo(Map.of("/a/1", "1"));
    }
  }

  /// What a recorder would have on its disk.
  private static final class Recorded implements StateRecorder {
    private final Map<String, String> content = new ConcurrentHashMap<>();
    private final AtomicInteger begun = new AtomicInteger();
    private volatile Map<String, String> whole = Map.of();
    private boolean isFull;

    /// What is on one side only.
    Set<Map.Entry<String, String>> misses(RecordingSync told) {
      Set<Map.Entry<String, String>> misses = new HashSet<>(whole.entrySet());
      misses.removeAll(told.content().entrySet());
      Set<Map.Entry<String, String>> others = new HashSet<>(told.content().entrySet());
      others.removeAll(whole.entrySet());
      misses.addAll(others);
      return misses;
    }

    @Override
    public void begin() {
      begun.incrementAndGet();
      content.clear();
      isFull = false;
    }

    @Override
    public void put(KeyValue item, boolean isNews) {
      if (isNews || !isFull) {
        content.put(item.key(), item.value());
      }
    }

    @Override
    public void delete(String key) {
      content.remove(key);
    }

    @Override
    public void complete(StoreId store, long revision) {
      isFull = true;
      whole = Map.copyOf(content);
    }
  }

  @Test
  void a_recorder_has_everything_after_news_a_relisting_and_a_new_beginning() throws Exception {
    Recorded recorded = new Recorded();
    RecordingSync told = new RecordingSync();
    for (int i = 0; i < 3 * Syncer.BATCH; i++) {
      put("/a/" + i, "1");
    }
    try (Syncer recording =
        new Syncer(
            store, List.of("/a/", "/b/"), told, recorded, InstantSource.system(), new Random(1))) {
      recording.start();
      told.await("in sync", RecordingSync::isInSync);
      put("/b/1", "y");
      store.commit(Txn.builder().delete("/a/7").put("/a/8", "2").build());
      told.await("news", now -> "2".equals(now.content().get("/a/8")));
      assertThat(recorded.misses(told)).isEmpty();
      store.cutWatches();
      store.commit(Txn.builder().delete("/a/9").put("/b/2", "z").build());
      store.compact(store.revision());
      told.await("caught up", now -> now.isInSync() && now.content().containsKey("/b/2"));
      put("/a/last", "1");
      told.await("watching", now -> now.content().containsKey("/a/last"));
      assertThat(recorded.misses(told)).isEmpty();
      assertThat(recorded.whole).doesNotContainKey("/a/9");
      int before = told.changes().size();
      recording.recordAgain();
      put("/b/3", "n");
      told.await("after it", now -> now.content().containsKey("/b/3"));
      assertThat(recorded.begun).hasValue(2);
      assertThat(recorded.misses(told)).isEmpty();
      assertThat(told.changes()).as("the listener hears news only").hasSize(before + 1);
    }
  }

  @Test
  void a_refusal_is_told_as_such_and_not_repeated_at_once() throws Exception {
    RefusingDatastore refusing = new RefusingDatastore();
    RecordingSync told = new RecordingSync();
    CompletableFuture<Void> later = new CompletableFuture<>();
    try (Syncer refused =
        new Syncer(refusing, List.of("/a/"), told, InstantSource.system(), new Random(1))) {
      refused.start();
      told.await("the refusal", now -> now.statuses().size() == 2);
      assertThat(told.statuses().getLast())
          .isInstanceOfSatisfying(
              SyncStatus.Waiting.class,
              waiting -> assertThat(waiting.reason()).startsWith("UNAUTHORISED: no such role"));
      // Half a second on the syncer's own clock: five tries after any other failure.
      refused.seedUnlessAnswered(
          Duration.ofMillis(500),
          () -> {
            later.complete(null);
            return List.of();
          });
      later.get(20, TimeUnit.SECONDS);
      assertThat(refusing.listings.get()).isEqualTo(1);
    }
  }

  /// A store that does not want us.
  private static final class RefusingDatastore implements Datastore {
    private final AtomicInteger listings = new AtomicInteger();

    private static DatastoreException refusal() {
      return new DatastoreException(
          DatastoreException.Kind.UNAUTHORISED, "refusing", "no such role");
    }

    @Override
    public Optional<KeyValue> get(String key) throws DatastoreException {
      listings.incrementAndGet();
      throw refusal();
    }

    @Override
    public Listing getAll(List<String> keys) throws DatastoreException {
      throw refusal();
    }

    @Override
    public Listing list(String prefix) throws DatastoreException {
      listings.incrementAndGet();
      throw refusal();
    }

    @Override
    public CommitResult commit(Txn txn) throws DatastoreException {
      throw refusal();
    }

    @Override
    public Watch watch(String prefix, long fromRevision, WatchListener listener) {
      throw new IllegalStateException("nothing was listed");
    }

    @Override
    public void close() {}
  }
}
