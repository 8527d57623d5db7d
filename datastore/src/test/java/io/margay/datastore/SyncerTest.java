package io.margay.datastore;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
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
    assertThat(syncer.known().get(20, TimeUnit.SECONDS).orElseThrow().items())
        .extracting(KeyValue::key)
        .containsExactly("/a/live");
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
    assertThat(syncer.known().get(20, TimeUnit.SECONDS)).isEmpty();
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
