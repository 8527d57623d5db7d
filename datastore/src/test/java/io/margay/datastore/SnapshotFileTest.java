package io.margay.datastore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.datastore.SnapshotFile.Head;
import io.margay.datastore.SnapshotFile.Snapshot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SnapshotFileTest {

  private static final Instant NOW = Instant.parse("2026-11-23T10:00:00Z");
  private static final List<String> ENDPOINTS =
      List.of("http://10.0.0.1:2379", "http://10.0.0.2:2379");
  private static final StoreId STORE = new StoreId("cdf818194e3a8c32", 2);
  private static final KeyValue A = new KeyValue("/a", "{\"ü\":1}", 7);
  private static final KeyValue B = new KeyValue("/b", "", 42);
  private static final KeyValue C = new KeyValue("/c", "3", 43);

  @TempDir private Path directory;

  private SnapshotWriter writer(Path file) {
    return new SnapshotWriter(file, ENDPOINTS, () -> NOW);
  }

  private static List<KeyValue> items(Path file) throws IOException {
    return SnapshotFile.read(file).orElseThrow().items().stream()
        .sorted(Comparator.comparing(KeyValue::key))
        .toList();
  }

  private static void tell(SnapshotWriter writer, long revision, KeyValue... items) {
    writer.begin();
    for (KeyValue item : items) {
      writer.put(item, true);
    }
    writer.complete(STORE, revision);
  }

  @Test
  void what_was_told_is_read_back_and_changes_after_it() throws IOException {
    Path file = directory.resolve("state/snapshot");
    assertThat(SnapshotFile.read(file)).isEmpty();
    try (SnapshotWriter writer = writer(file)) {
      tell(writer, 42, A, B);
      writer.save();
      assertThat(SnapshotFile.read(file))
          .contains(
              new Snapshot(new Head(NOW, "cdf818194e3a8c32", ENDPOINTS, 42), List.of(A, B), false));
      writer.delete("/a");
      writer.put(C, true);
      writer.put(B, false);
      writer.complete(STORE, 43);
      writer.save();
      assertThat(items(file)).containsExactly(B, C);
      assertThat(SnapshotFile.read(file).orElseThrow().head().revision()).isEqualTo(43);
      long octets = Files.size(file);
      writer.complete(STORE, 44);
      writer.save();
      assertThat(Files.size(file)).as("nothing has changed").isEqualTo(octets);
    }
    assertThat(items(file)).as("closing takes nothing back").containsExactly(B, C);
    try (var left = Files.list(file.getParent())) {
      assertThat(left).containsExactly(file);
    }
  }

  @Test
  void what_is_flushed_is_read_back_and_saved_once_more() throws IOException {
    Path file = directory.resolve("snapshot");
    try (SnapshotWriter writer = writer(file)) {
      tell(writer, 42, A);
      writer.flush();
      assertThat(file).as("the first state is saved whole").doesNotExist();
      writer.save();
      writer.put(B, true);
      writer.complete(STORE, 43);
      writer.flush();
      assertThat(items(file)).containsExactly(A, B);
      assertThat(SnapshotFile.read(file).orElseThrow().head().revision()).isEqualTo(43);
      long octets = Files.size(file);
      writer.flush();
      writer.save();
      assertThat(Files.size(file)).as("nothing has changed").isEqualTo(octets);
      writer.put(C, true);
      writer.flush();
      writer.delete("/a");
      writer.complete(STORE, 44);
      writer.save();
      assertThat(items(file)).containsExactly(B, C);
    }
  }

  @Test
  void what_is_not_complete_is_not_saved_and_the_former_state_stays() throws IOException {
    Path file = directory.resolve("snapshot");
    try (SnapshotWriter writer = writer(file)) {
      tell(writer, 42, A);
      writer.save();
    }
    try (SnapshotWriter next = writer(file)) {
      next.begin();
      next.put(B, true);
      next.save();
      assertThat(items(file)).containsExactly(A);
      next.complete(STORE, 43);
      next.save();
      assertThat(items(file)).containsExactly(B);
    }
  }

  @Test
  void any_flipped_bit_and_any_cut_of_the_first_state_is_noticed() throws IOException {
    Path file = directory.resolve("snapshot");
    try (SnapshotWriter writer = writer(file)) {
      tell(writer, 42, A, B);
      writer.save();
    }
    byte[] good = Files.readAllBytes(file);
    for (int at = 0; at < good.length; at++) {
      byte[] bad = good.clone();
      bad[at] ^= 0x10;
      Files.write(file, bad);
      assertThatThrownBy(() -> SnapshotFile.read(file))
          .as("bit of octet %d", at)
          .isInstanceOf(IOException.class);
      Files.write(file, Arrays.copyOf(good, at));
      assertThatThrownBy(() -> SnapshotFile.read(file))
          .as("cut at %d", at)
          .isInstanceOf(IOException.class);
    }
  }

  @Test
  void damage_after_a_whole_state_leaves_that_state_and_says_so() throws IOException {
    Path file = directory.resolve("snapshot");
    int first;
    try (SnapshotWriter writer = writer(file)) {
      tell(writer, 42, A, B);
      writer.save();
      first = (int) Files.size(file);
      writer.delete("/a");
      writer.put(C, true);
      writer.save();
    }
    byte[] good = Files.readAllBytes(file);
    for (int at = first; at < good.length; at++) {
      byte[] bad = good.clone();
      bad[at] ^= 0x10;
      Files.write(file, bad);
      assertThat(items(file)).as("bit of octet %d", at).containsExactly(A, B);
      assertThat(SnapshotFile.read(file).orElseThrow().isCut()).isTrue();
      Files.write(file, Arrays.copyOf(good, at));
      assertThat(items(file)).as("cut at %d", at).containsExactly(A, B);
      assertThat(SnapshotFile.read(file).orElseThrow().isCut()).isEqualTo(at != first);
    }
  }

  @Test
  void noise_is_refused_without_harm() throws IOException {
    Path file = directory.resolve("snapshot");
    byte[] noise = new byte[4096];
    new Random(1).nextBytes(noise);
    Files.write(file, noise);
    assertThatThrownBy(() -> SnapshotFile.read(file))
        .hasMessageContaining("damaged")
        .hasMessageContaining("delete it");
  }

  @Test
  void a_snapshot_of_another_store_is_told_by_its_endpoints() {
    Head head = new Head(NOW, "c", ENDPOINTS, 1);
    assertThat(head.isOf(List.of("http://10.0.0.9:2379", "http://10.0.0.2:2379"))).isTrue();
    assertThat(head.isOf(List.of("http://10.1.0.1:2379"))).isFalse();
  }

  @Test
  void a_disk_that_refuses_keeps_the_old_state_until_everything_is_told_again() throws IOException {
    Path file = directory.resolve("snapshot");
    try (SnapshotWriter writer = writer(file)) {
      tell(writer, 42, A);
      writer.save();
      // A folder where the neighbour goes: writing can't even begin.
      Path inTheWay = directory.resolve("snapshot.new/x");
      Files.createDirectories(inTheWay);
      tell(writer, 43, B);
      assertThatThrownBy(writer::save).isInstanceOf(IOException.class);
      writer.put(C, true);
      writer.complete(STORE, 44);
      assertThatThrownBy(writer::save).as("and remembered").isInstanceOf(IOException.class);
      assertThat(items(file)).containsExactly(A);
      assertThat(writer.forEach(_ -> {})).as("nothing of now is there").isEmpty();
      Files.delete(inTheWay);
      Files.delete(inTheWay.getParent());
      tell(writer, 45, B, C);
      writer.save();
      assertThat(items(file)).containsExactly(B, C);
    }
  }

  @Test
  void a_file_that_cannot_be_written_smaller_goes_on_growing() throws IOException {
    Path file = directory.resolve("snapshot");
    Path inTheWay = directory.resolve("snapshot.small/x");
    Files.createDirectories(inTheWay);
    try (SnapshotWriter writer = new SnapshotWriter(file, ENDPOINTS, () -> NOW, 200)) {
      tell(writer, 1, A);
      long largest = 0;
      for (int revision = 2; revision < 40; revision++) {
        writer.put(new KeyValue("/b", "x".repeat(40), revision), true);
        writer.complete(STORE, revision);
        writer.save();
        assertThat(items(file)).hasSize(2);
        largest = Files.size(file);
      }
      Files.delete(inTheWay);
      Files.delete(inTheWay.getParent());
      for (int revision = 40; revision < 120; revision++) {
        writer.put(new KeyValue("/b", "x".repeat(40), revision), true);
        writer.complete(STORE, revision);
        writer.save();
      }
      assertThat(Files.size(file)).as("written anew once it could be").isLessThan(largest);
      assertThat(items(file)).contains(A, new KeyValue("/b", "x".repeat(40), 119));
    }
    try (var left = Files.list(directory)) {
      assertThat(left).containsExactly(file);
    }
  }

  @Test
  void one_begun_anew_while_the_file_is_written_smaller_is_not_disturbed() throws IOException {
    Path file = directory.resolve("snapshot");
    SnapshotWriter[] late = new SnapshotWriter[1];
    boolean[] begun = {false};
    // Asked for the time in the middle of a save that is due to write the file anew.
    InstantSource clock =
        () -> {
          if (late[0] != null && !begun[0]) {
            begun[0] = true;
            Thread.ofPlatform().start(() -> tell(late[0], 99, C));
          }
          return NOW;
        };
    try (SnapshotWriter writer = new SnapshotWriter(file, ENDPOINTS, clock, 200)) {
      tell(writer, 1, A);
      writer.save();
      for (int revision = 2; revision < 20; revision++) {
        writer.put(new KeyValue("/b", "x".repeat(40), revision), true);
      }
      late[0] = writer;
      writer.complete(STORE, 20);
      writer.save();
      for (int i = 0; i < 600 && items(file).size() != 1; i++) {
        writer.save();
        LockSupport.parkNanos(10_000_000);
      }
      assertThat(items(file)).containsExactly(C);
    }
  }

  @Test
  void a_save_that_is_overtaken_by_a_new_beginning_is_no_failure() throws Exception {
    Path file = directory.resolve("snapshot");
    try (SnapshotWriter writer = writer(file)) {
      Thread beginner =
          Thread.ofPlatform()
              .start(
                  () -> {
                    for (int revision = 1; revision <= 300; revision++) {
                      tell(writer, revision, A, B);
                      LockSupport.parkNanos(100_000);
                    }
                  });
      while (beginner.isAlive()) {
        writer.save();
      }
      writer.save();
      assertThat(items(file)).containsExactly(A, B);
    }
  }

  @Test
  void a_file_that_is_mostly_out_of_date_is_written_anew_and_loses_nothing() throws IOException {
    Path file = directory.resolve("snapshot");
    Random random = new Random(7);
    Map<String, KeyValue> expected = new HashMap<>();
    long largest = 0;
    int shrunk = 0;
    try (SnapshotWriter writer = new SnapshotWriter(file, ENDPOINTS, () -> NOW, 2_000)) {
      writer.begin();
      for (int round = 0; round < 300; round++) {
        for (int i = 0; i < 5; i++) {
          String key = "/k/" + random.nextInt(20);
          if (random.nextInt(4) == 0) {
            writer.delete(key);
            expected.remove(key);
          } else {
            KeyValue item = new KeyValue(key, "x".repeat(random.nextInt(60)), round + 1);
            writer.put(item, true);
            expected.put(key, item);
          }
        }
        writer.complete(STORE, round);
        long before = Files.exists(file) ? Files.size(file) : 0;
        writer.save();
        shrunk += Files.size(file) < before ? 1 : 0;
        largest = Math.max(largest, Files.size(file));
        Map<String, KeyValue> read = new HashMap<>();
        writer.forEach(item -> read.put(item.key(), item));
        assertThat(read).as("round %d", round).isEqualTo(expected);
      }
    }
    assertThat(shrunk).isGreaterThan(5);
    assertThat(largest).isLessThan(8_000);
    assertThat(items(file)).containsExactlyInAnyOrderElementsOf(expected.values());
  }
}
