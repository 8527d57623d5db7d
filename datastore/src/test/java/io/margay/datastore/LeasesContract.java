package io.margay.datastore;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/// What every store with leases must do, and what `StatusKeys` makes of it.
public abstract class LeasesContract {

  /// The shortest a real store allows is 2 s.
  protected static final Duration TTL = Duration.ofSeconds(3);

  protected abstract Datastore store();

  protected abstract Leases leases();

  /// Makes every lease run out; afterwards the store answers.
  protected abstract void expire() throws Exception;

  private final String root = "/status/" + System.nanoTime() + "/";

  private static Txn.Write put(String key, String value) {
    return new Txn.Write.Put(key, value);
  }

  @Test
  void keys_live_as_long_as_their_lease() throws Exception {
    long lease = leases().grant(TTL);
    assertThat(leases().write(lease, List.of(put(root + "a", "1"), put(root + "b", "1")))).isTrue();
    assertThat(leases().keepAlive(lease)).isTrue();
    assertThat(store().list(root).items()).hasSize(2);
    leases().revoke(lease);
    assertThat(store().list(root).items()).isEmpty();
    leases().revoke(lease);
  }

  @Test
  void a_lease_that_ran_out_says_so_and_writes_nothing() throws Exception {
    long lease = leases().grant(TTL);
    leases().write(lease, List.of(put(root + "a", "1")));
    expire();
    assertThat(leases().keepAlive(lease)).isFalse();
    assertThat(leases().write(lease, List.of(put(root + "a", "2")))).isFalse();
    assertThat(store().list(root).items()).isEmpty();
  }

  @Test
  void a_key_deleted_and_put_by_another_lease_is_the_others() throws Exception {
    long first = leases().grant(TTL);
    long second = leases().grant(TTL);
    leases().write(first, List.of(put(root + "a", "1"), put(root + "b", "1")));
    leases().write(second, List.of(put(root + "a", "2")));
    leases().write(second, List.of(new Txn.Write.Delete(root + "b")));
    leases().revoke(first);
    assertThat(store().list(root).items()).extracting(KeyValue::value).containsExactly("2");
    leases().revoke(second);
  }

  @Test
  void status_is_written_changed_and_taken_back_on_a_clean_stop() throws Exception {
    RecordingWatch seen = new RecordingWatch();
    try (Watch watch = store().watch(root, store().list(root).revision() + 1, seen)) {
      assertThat(watch).isNotNull();
      try (StatusKeys status = new StatusKeys(leases(), Duration.ofSeconds(30))) {
        status.put(root + "a", "up");
        status.put(root + "b", "up");
        seen.await(now -> now.changes().size() == 2);
        status.put(root + "a", "down");
        status.put(root + "a", "down");
        status.remove(root + "b");
        status.remove(root + "never");
        seen.await(now -> now.changes().size() == 4);
        assertThat(store().list(root).items()).extracting(KeyValue::value).containsExactly("down");
      }
      assertThat(store().list(root).items()).isEmpty();
    }
  }

  @Test
  void one_batch_holds_no_more_than_a_transaction_may() throws Exception {
    RecordingWatch seen = new RecordingWatch();
    try (Watch watch = store().watch(root, store().list(root).revision() + 1, seen);
        StatusKeys status = new StatusKeys(leases(), Duration.ofSeconds(30))) {
      assertThat(watch).isNotNull();
      int keys = 3 * Txn.MAX_OPERATIONS + 1;
      for (int i = 0; i < keys; i++) {
        status.put(root + i, "up");
      }
      seen.await(now -> now.changes().size() == keys);
      assertThat(seen.changes().stream().map(Change::modRevision).distinct().count())
          .isLessThanOrEqualTo(keys / 2);
    }
  }

  @Test
  void status_comes_back_after_its_lease_was_lost() throws Exception {
    try (StatusKeys status = new StatusKeys(leases(), TTL)) {
      RecordingWatch first = new RecordingWatch();
      try (Watch watch = store().watch(root, store().list(root).revision() + 1, first)) {
        assertThat(watch).isNotNull();
        status.put(root + "a", "up");
        status.put(root + "b", "down");
        first.await(now -> now.changes().size() == 2);
      }
      expire();
      // Only deletions and the second writing follow.
      RecordingSync seen = new RecordingSync();
      try (Syncer syncer =
          new Syncer(store(), List.of(root), seen, InstantSource.system(), new Random(1))) {
        syncer.start();
        seen.await("both again", now -> now.content().size() == 2);
        assertThat(seen.content()).containsEntry(root + "a", "up");
      }
    }
  }
}
