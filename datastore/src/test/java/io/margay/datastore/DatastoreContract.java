package io.margay.datastore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// What every store must do. Each test works below a prefix of its own.
public abstract class DatastoreContract {

  protected abstract Datastore store();

  /// Forgets history up to this revision.
  protected abstract void compact(long revision) throws Exception;

  /// As many keys as make a listing of several pages.
  protected int many() {
    return 9_000;
  }

  private final String root = "/test/" + System.nanoTime() + "/";

  private long put(String key, String value) throws DatastoreException {
    return ((CommitResult.Committed) store().commit(Txn.builder().put(key, value).build()))
        .revision();
  }

  @Test
  void a_key_that_was_put_is_read_back_with_the_revision_of_its_commit() throws DatastoreException {
    long revision = put(root + "a", "ä{}");
    assertThat(store().get(root + "a")).contains(new KeyValue(root + "a", "ä{}", revision));
    assertThat(store().get(root + "b")).isEmpty();
  }

  @Test
  void create_succeeds_once_and_then_says_what_is_there() throws DatastoreException {
    assertThat(store().commit(Txn.create(root + "a", "1")))
        .isInstanceOf(CommitResult.Committed.class);
    CommitResult second = store().commit(Txn.create(root + "a", "2"));
    assertThat(second).isInstanceOf(CommitResult.Conflict.class);
    assertThat(((CommitResult.Conflict) second).current(root + "a"))
        .map(KeyValue::value)
        .contains("1");
    assertThat(store().get(root + "a")).map(KeyValue::value).contains("1");
  }

  @Test
  void a_stale_revision_changes_nothing_anywhere() throws DatastoreException {
    put(root + "a", "1");
    KeyValue stale = store().get(root + "a").orElseThrow();
    put(root + "a", "2");
    CommitResult result =
        store()
            .commit(
                Txn.builder()
                    .ifAtRevision(root + "a", stale.modRevision())
                    .ifAbsent(root + "b")
                    .put(root + "a", "3")
                    .put(root + "b", "3")
                    .build());
    assertThat(result).isInstanceOf(CommitResult.Conflict.class);
    assertThat(((CommitResult.Conflict) result).current()).containsOnlyKeys(root + "a");
    assertThat(store().list(root).items()).extracting(KeyValue::value).containsExactly("2");
  }

  @Test
  void one_transaction_gives_all_its_keys_one_revision() throws DatastoreException {
    put(root + "gone", "x");
    CommitResult result =
        store()
            .commit(
                Txn.builder()
                    .put(root + "a", "1")
                    .put(root + "b", "1")
                    .delete(root + "gone")
                    .build());
    long revision = ((CommitResult.Committed) result).revision();
    Listing listing = store().list(root);
    assertThat(listing.items())
        .containsExactly(
            new KeyValue(root + "a", "1", revision), new KeyValue(root + "b", "1", revision));
    assertThat(listing.revision()).isEqualTo(revision);
  }

  @Test
  void exists_holds_for_any_revision_and_fails_without_the_key() throws DatastoreException {
    Txn ifThere = Txn.builder().ifExists(root + "a").put(root + "b", "1").build();
    assertThat(store().commit(ifThere)).isInstanceOf(CommitResult.Conflict.class);
    put(root + "a", "1");
    assertThat(store().commit(ifThere)).isInstanceOf(CommitResult.Committed.class);
  }

  @Test
  void a_folder_is_unchanged_until_something_in_it_is_put() throws DatastoreException {
    put(root + "f/a", "1");
    put(root + "f/b", "1");
    long since = store().list(root + "f/").revision();
    Txn.Builder unchanged = Txn.builder().ifUnchanged(root + "f/", since);
    assertThat(store().commit(unchanged.build())).isInstanceOf(CommitResult.Committed.class);
    store().commit(Txn.builder().delete(root + "f/b").build());
    put(root + "f", "1");
    put(root + "f0", "1");
    put(root + "e/a", "1");
    assertThat(store().commit(unchanged.put(root + "x", "1").build()))
        .isInstanceOf(CommitResult.Committed.class);

    put(root + "f/c", "1");
    assertThat(store().commit(unchanged.put(root + "y", "1").build()))
        .isInstanceOf(CommitResult.Conflict.class);
    assertThat(store().get(root + "y")).isEmpty();
    store().commit(Txn.builder().delete(root + "f/c").build());
    put(root + "f/a", "2");
    assertThat(store().commit(unchanged.build())).isInstanceOf(CommitResult.Conflict.class);
  }

  @Test
  void an_empty_folder_is_unchanged_since_ever() throws DatastoreException {
    Txn empty = Txn.builder().ifUnchanged(root + "f/", 0).put(root + "x", "1").build();
    assertThat(store().commit(empty)).isInstanceOf(CommitResult.Committed.class);
    put(root + "f/a", "1");
    assertThat(store().commit(empty)).isInstanceOf(CommitResult.Conflict.class);
  }

  @Test
  void deleting_what_is_not_there_is_success() throws DatastoreException {
    assertThat(store().commit(Txn.builder().delete(root + "never").build()))
        .isInstanceOf(CommitResult.Committed.class);
  }

  @Test
  void a_transaction_without_writes_only_checks() throws DatastoreException {
    put(root + "a", "1");
    KeyValue read = store().get(root + "a").orElseThrow();
    assertThat(store().commit(Txn.builder().ifAtRevision(root + "a", read.modRevision()).build()))
        .isInstanceOf(CommitResult.Committed.class);
    assertThat(store().get(root + "a")).contains(read);
  }

  @Test
  void a_transaction_of_exactly_the_limit_commits() throws DatastoreException {
    Txn.Builder txn = Txn.builder();
    IntStream.range(0, Txn.MAX_OPERATIONS).forEach(i -> txn.ifAbsent(root + i).put(root + i, "1"));
    assertThat(store().commit(txn.build())).isInstanceOf(CommitResult.Committed.class);
    assertThat(store().list(root).items()).hasSize(Txn.MAX_OPERATIONS);
    assertThatThrownBy(() -> txn.put(root + "more", "1").build())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("128");
  }

  @Test
  void a_listing_holds_what_starts_with_the_prefix_in_key_order() throws DatastoreException {
    put(root + "p/b", "1");
    put(root + "p/a/c", "1");
    put(root + "pp", "1");
    put(root + "o", "1");
    assertThat(store().list(root + "p/").items())
        .extracting(KeyValue::key)
        .containsExactly(root + "p/a/c", root + "p/b");
    assertThat(store().list(root + "none/").items()).isEmpty();
  }

  @Test
  void several_keys_are_read_at_once_and_absent_ones_left_out() throws DatastoreException {
    put(root + "a", "1");
    put(root + "c", "3");
    assertThat(store().getAll(List.of(root + "c", root + "b", root + "a")).items())
        .extracting(KeyValue::value)
        .containsExactlyInAnyOrder("1", "3");
  }

  @Test
  void a_watch_from_the_past_delivers_history_then_news_once_and_in_order() throws Exception {
    long first = put(root + "a", "1");
    store().commit(Txn.builder().put(root + "a", "2").put(root + "b", "2").build());
    RecordingWatch seen = new RecordingWatch();
    try (Watch watch = store().watch(root, first, seen)) {
      assertThat(watch).isNotNull();
      seen.await(now -> now.changes().size() == 3);
      put("/elsewhere" + root, "x");
      long gone =
          ((CommitResult.Committed) store().commit(Txn.builder().delete(root + "a").build()))
              .revision();
      seen.await(now -> now.changes().size() == 4);
      assertThat(seen.startedAt()).isGreaterThanOrEqualTo(first);
      assertThat(seen.changes())
          .containsExactly(
              new Change.Put(new KeyValue(root + "a", "1", first)),
              new Change.Put(new KeyValue(root + "a", "2", first + 1)),
              new Change.Put(new KeyValue(root + "b", "2", first + 1)),
              new Change.Delete(root + "a", gone));
    }
  }

  @Test
  void a_closed_watch_says_nothing_more() throws Exception {
    RecordingWatch closed = new RecordingWatch();
    RecordingWatch open = new RecordingWatch();
    long from = store().list(root).revision() + 1;
    Watch first = store().watch(root, from, closed);
    try (Watch second = store().watch(root, from, open)) {
      assertThat(second).isNotNull();
      closed.await(now -> now.startedAt() > 0);
      first.close();
      put(root + "a", "1");
      open.await(now -> now.changes().size() == 1);
      assertThat(closed.changes()).isEmpty();
      assertThat(closed.ends()).isEmpty();
    }
  }

  @Test
  void a_watch_from_a_compacted_revision_ends_saying_so() throws Exception {
    long first = put(root + "a", "1");
    long last = put(root + "a", "2");
    compact(last);
    RecordingWatch seen = new RecordingWatch();
    try (Watch watch = store().watch(root, first, seen)) {
      assertThat(watch).isNotNull();
      seen.await(now -> !now.ends().isEmpty());
      assertThat(seen.ends()).containsExactly(new WatchListener.WatchEnd.Compacted(last));
      assertThat(seen.changes()).isEmpty();
    }
  }

  @Test
  void a_listing_of_thousands_is_of_one_revision_and_in_the_order_of_octets() throws Exception {
    int keys = many();
    for (int at = 0; at < keys; ) {
      Txn.Builder txn = Txn.builder();
      for (int i = 0; i < Txn.MAX_OPERATIONS && at < keys; i++, at++) {
        txn.put(root + "n/%05d".formatted(at), Integer.toString(at));
      }
      store().commit(txn.build());
    }
    AtomicBoolean stop = new AtomicBoolean();
    CompletableFuture<Void> writer =
        CompletableFuture.runAsync(
            () -> {
              for (int i = 0; !stop.get(); i++) {
                try {
                  // First and last move together: a torn listing would show them apart.
                  store()
                      .commit(
                          Txn.builder()
                              .put(root + "n/00000", "w" + i)
                              .put(root + "n/%05d".formatted(keys - 1), "w" + i)
                              .build());
                } catch (DatastoreException failed) {
                  throw new IllegalStateException(failed);
                }
              }
            });
    try {
      for (int i = 0; i < 5; i++) {
        Listing listing = store().list(root + "n/");
        assertThat(listing.items()).hasSize(keys);
        assertThat(listing.items())
            .extracting(KeyValue::key)
            .isSortedAccordingTo(Comparator.naturalOrder());
        if (listing.items().getFirst().value().startsWith("w")) {
          assertThat(listing.items().getLast().value())
              .isEqualTo(listing.items().getFirst().value());
        }
        assertThat(listing.items())
            .allSatisfy(
                item -> assertThat(item.modRevision()).isLessThanOrEqualTo(listing.revision()));
      }
    } finally {
      stop.set(true);
      writer.get(20, TimeUnit.SECONDS);
    }
  }

  @Test
  void a_listing_handed_over_key_by_key_is_the_same_listing() throws DatastoreException {
    for (int i = 0; i < 300; i++) {
      put(root + "h/" + i, Integer.toString(i));
    }
    List<KeyValue> taken = new ArrayList<>();
    Listing head = store().list(root + "h/", taken::add);
    Listing whole = store().list(root + "h/");
    assertThat(taken).isEqualTo(whole.items());
    assertThat(head).isEqualTo(new Listing(whole.store(), whole.revision(), List.of()));
  }

  @Test
  void keys_of_any_script_keep_the_order_of_their_octets() throws DatastoreException {
    put(root + "u/\uD83D\uDE00", "beyond the basic plane");
    put(root + "u/\uFFFD", "its last corner");
    put(root + "u/z", "latin");
    put(root + "u/é", "accent");
    assertThat(store().list(root + "u/").items())
        .extracting(KeyValue::value)
        .containsExactly("latin", "accent", "its last corner", "beyond the basic plane");
    assertThat(store().list(root + "u/\uFFFD").items()).hasSize(1);
  }

  @Test
  void a_folder_and_its_neighbours_are_told_apart() throws DatastoreException {
    put(root + "a", "1");
    put(root + "a/", "2");
    put(root + "a/b", "3");
    put(root + "a/b/c", "4");
    put(root + "a//d", "5");
    put(root + "a0", "6");
    put(root + "a-", "7");
    assertThat(store().list(root + "a/").items())
        .extracting(KeyValue::value)
        .containsExactly("2", "5", "3", "4");
    assertThat(store().list(root + "a").items()).hasSize(7);
    assertThat(store().get(root + "a//d")).map(KeyValue::value).contains("5");
  }

  @Test
  void keys_that_would_lead_out_of_a_folder_are_names_like_others() throws DatastoreException {
    List<String> odd =
        List.of(
            root + "..",
            root + "../../etc/passwd",
            root + "./x",
            root + "x.yaml/y",
            root + "x",
            root + "x.value/y",
            root + "con%2f%25",
            root + "tab\there",
            root + "long" + "-segment".repeat(60));
    for (String key : odd) {
      put(key, key);
    }
    for (String key : odd) {
      assertThat(store().get(key)).as(key).map(KeyValue::value).contains(key);
    }
    assertThat(store().list(root).items()).hasSize(odd.size());
  }

  @Test
  void an_empty_value_is_a_value() throws Exception {
    put(root + "empty", "");
    assertThat(store().get(root + "empty")).map(KeyValue::value).contains("");
    assertThat(store().commit(Txn.create(root + "empty", "x")))
        .isInstanceOf(CommitResult.Conflict.class);
  }

  @Test
  void a_value_may_be_nearly_as_large_as_a_request_and_no_larger() throws DatastoreException {
    String large = "x".repeat(1_500_000);
    put(root + "large", large);
    assertThat(store().get(root + "large")).map(KeyValue::value).contains(large);
    assertThatThrownBy(
            () ->
                store()
                    .commit(
                        Txn.builder()
                            .put(root + "half", "x".repeat(800_000))
                            .put(root + "other half", "x".repeat(800_000))
                            .build()))
        .isInstanceOfSatisfying(
            DatastoreException.class,
            failure -> {
              assertThat(failure.kind()).isEqualTo(DatastoreException.Kind.INVALID);
              assertThat(failure.isOutcomeUnknown()).isFalse();
            });
    assertThat(store().get(root + "half")).isEmpty();
  }

  @Test
  void a_conflict_shows_every_key_of_its_conditions_and_no_other() throws DatastoreException {
    put(root + "a", "1");
    put(root + "b", "1");
    long now = put(root + "c", "1");
    CommitResult result =
        store()
            .commit(
                Txn.builder()
                    .ifExists(root + "a")
                    .ifAtRevision(root + "b", now)
                    .ifAbsent(root + "none")
                    .put(root + "c", "2")
                    .build());
    CommitResult.Conflict conflict = (CommitResult.Conflict) result;
    assertThat(conflict.current()).containsOnlyKeys(root + "a", root + "b");
    assertThat(conflict.current(root + "b").orElseThrow().modRevision()).isEqualTo(now - 1);
    assertThat(conflict.current(root + "none")).isEmpty();
    assertThat(conflict.revision()).isGreaterThanOrEqualTo(now);
  }

  @Test
  void a_delete_and_a_create_again_are_two_changes_with_two_revisions() throws Exception {
    long first = put(root + "a", "1");
    store().commit(Txn.builder().delete(root + "a").build());
    long second = put(root + "a", "1");
    assertThat(second).isGreaterThan(first + 1);
    assertThat(store().commit(Txn.builder().ifAtRevision(root + "a", first).build()))
        .isInstanceOf(CommitResult.Conflict.class);
  }

  @Test
  void a_watch_delivers_the_changes_of_many_writers_in_revision_order() throws Exception {
    long from = store().list(root).revision() + 1;
    RecordingWatch seen = new RecordingWatch();
    try (Watch watch = store().watch(root, from, seen)) {
      assertThat(watch).isNotNull();
      int each = 50;
      List<CompletableFuture<Void>> writers = new ArrayList<>();
      for (int w = 0; w < 4; w++) {
        String folder = root + "w" + w + "/";
        writers.add(
            CompletableFuture.runAsync(
                () -> {
                  try {
                    for (int i = 0; i < each; i++) {
                      put(folder + i % 7, Integer.toString(i));
                    }
                  } catch (DatastoreException failed) {
                    throw new IllegalStateException(failed);
                  }
                }));
      }
      for (CompletableFuture<Void> writer : writers) {
        writer.get(30, TimeUnit.SECONDS);
      }
      seen.await(now -> now.changes().size() == 4 * each);
      assertThat(seen.changes()).extracting(Change::modRevision).isSorted().doesNotHaveDuplicates();
    }
  }

  @Test
  void the_same_store_says_so_in_listings_and_watches() throws Exception {
    Listing listing = store().list(root);
    assertThat(listing.store().cluster()).isNotEmpty();
    assertThat(store().getAll(List.of(root + "a")).store()).isEqualTo(listing.store());
    RecordingWatch seen = new RecordingWatch();
    try (Watch watch = store().watch(root, listing.revision() + 1, seen)) {
      assertThat(watch).isNotNull();
      seen.await(now -> now.startedAt() > 0);
      assertThat(seen.store()).isEqualTo(listing.store());
    }
  }

  @Test
  void pages_together_are_the_listing() throws Exception {
    for (String name : List.of("a", "a/b", "b", "c", "d")) {
      put(root + name, name);
    }
    Listing whole = store().list(root);
    List<KeyValue> paged = new ArrayList<>();
    String after = "";
    long revision = 0;
    while (true) {
      Listing page = store().page(root, after, 2, revision);
      assertThat(page.items()).hasSizeLessThanOrEqualTo(2);
      if (page.items().isEmpty()) {
        break;
      }
      paged.addAll(page.items());
      revision = page.revision();
      after = page.items().getLast().key();
    }
    assertThat(paged).isEqualTo(whole.items());
    assertThat(revision).isEqualTo(whole.revision());
  }

  /// For stores that keep a past: pages are of the moment of the first, whatever happens meanwhile.
  protected final void pagesAreOfOneMoment() throws Exception {
    put(root + "a", "1");
    put(root + "b", "1");
    put(root + "c", "1");
    Listing first = store().page(root, "", 1, 0);
    put(root + "a", "2");
    put(root + "b", "2");
    store().commit(Txn.builder().delete(root + "c").build());
    put(root + "d", "2");
    Listing rest = store().page(root, root + "a", 10, first.revision());
    assertThat(rest.revision()).isEqualTo(first.revision());
    assertThat(rest.items()).extracting(KeyValue::value).containsExactly("1", "1");
    assertThat(store().page(root, root + "a", 10, 0).items())
        .extracting(KeyValue::key)
        .containsExactly(root + "b", root + "d");

    compact(put(root + "e", "2"));
    assertThatThrownBy(() -> store().page(root, root + "a", 10, first.revision()))
        .isInstanceOf(DatastoreException.class)
        .extracting(gone -> ((DatastoreException) gone).kind())
        .isEqualTo(DatastoreException.Kind.INVALID);
  }
}
