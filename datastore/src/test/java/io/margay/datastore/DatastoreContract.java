package io.margay.datastore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// What every store must do. Each test works below a prefix of its own.
public abstract class DatastoreContract {

  protected abstract Datastore store();

  /// Forgets history up to this revision.
  protected abstract void compact(long revision) throws Exception;

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
}
