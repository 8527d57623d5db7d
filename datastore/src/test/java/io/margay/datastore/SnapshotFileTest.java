package io.margay.datastore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SnapshotFileTest {

  private static final SnapshotFile.Snapshot SNAPSHOT =
      new SnapshotFile.Snapshot(
          Instant.parse("2026-11-23T10:00:00Z"),
          "cdf818194e3a8c32",
          List.of("http://10.0.0.1:2379", "http://10.0.0.2:2379"),
          42,
          List.of(new KeyValue("/a", "{\"ü\":1}", 7), new KeyValue("/b", "", 42)));

  @TempDir private Path directory;

  @Test
  void what_was_written_is_read_back() throws IOException {
    Path file = directory.resolve("state/snapshot");
    assertThat(SnapshotFile.read(file)).isEmpty();
    SnapshotFile.write(file, SNAPSHOT);
    assertThat(SnapshotFile.read(file)).contains(SNAPSHOT);
    try (var left = Files.list(file.getParent())) {
      assertThat(left).containsExactly(file);
    }
  }

  @Test
  void a_new_snapshot_replaces_the_old_one() throws IOException {
    Path file = directory.resolve("snapshot");
    SnapshotFile.write(file, SNAPSHOT);
    SnapshotFile.Snapshot next =
        new SnapshotFile.Snapshot(
            SNAPSHOT.takenAt(), SNAPSHOT.cluster(), SNAPSHOT.endpoints(), 43, List.of());
    SnapshotFile.write(file, next);
    assertThat(SnapshotFile.read(file)).contains(next);
  }

  @Test
  void any_flipped_bit_and_any_cut_is_noticed() throws IOException {
    Path file = directory.resolve("snapshot");
    SnapshotFile.write(file, SNAPSHOT);
    byte[] good = Files.readAllBytes(file);
    for (int at = 0; at < good.length; at++) {
      byte[] bad = good.clone();
      bad[at] ^= 0x10;
      Files.write(file, bad);
      assertThatThrownBy(() -> SnapshotFile.read(file))
          .as("bit of octet %d", at)
          .isInstanceOf(IOException.class);
      Files.write(file, java.util.Arrays.copyOf(good, at));
      assertThatThrownBy(() -> SnapshotFile.read(file))
          .as("cut at %d", at)
          .isInstanceOf(IOException.class);
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
    assertThat(SNAPSHOT.isOf(List.of("http://10.0.0.9:2379", "http://10.0.0.2:2379"))).isTrue();
    assertThat(SNAPSHOT.isOf(List.of("http://10.1.0.1:2379"))).isFalse();
  }

  @Test
  void a_write_that_fails_leaves_the_old_snapshot() throws IOException {
    Path file = directory.resolve("snapshot");
    SnapshotFile.write(file, SNAPSHOT);
    // A folder where the neighbour goes: the write can't even begin.
    Files.createDirectories(directory.resolve("snapshot.new/x"));
    assertThatThrownBy(() -> SnapshotFile.write(file, SNAPSHOT)).isInstanceOf(IOException.class);
    assertThat(SnapshotFile.read(file)).contains(SNAPSHOT);
  }
}
