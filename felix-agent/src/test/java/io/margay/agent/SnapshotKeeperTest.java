package io.margay.agent;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.margay.datastore.KeyValue;
import io.margay.datastore.SnapshotFile;
import io.margay.datastore.SnapshotWriter;
import io.margay.datastore.StoreId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

class SnapshotKeeperTest {

  private static final Logger LOGGER = (Logger) LoggerFactory.getLogger(SnapshotKeeper.class);

  @TempDir private Path directory;
  private final ListAppender<ILoggingEvent> log = new ListAppender<>();
  private int recordings;
  private long free;
  private SnapshotWriter writer;
  private SnapshotKeeper keeper;

  @BeforeEach
  void listen() {
    writer = new SnapshotWriter(file(), List.of("http://s:1"), () -> Instant.EPOCH);
    keeper =
        new SnapshotKeeper(
            file(),
            writer,
            () -> {
              recordings++;
              tell();
            },
            () -> free);
    log.start();
    LOGGER.addAppender(log);
  }

  @AfterEach
  void leave() {
    LOGGER.detachAppender(log);
    writer.close();
  }

  private Path file() {
    return directory.resolve("snapshot");
  }

  /// Where the file is written before it is put into its place: a directory there refuses it as a
  /// full disk would.
  private Path obstacle() {
    return directory.resolve("snapshot.new").resolve("obstacle");
  }

  private void refuse() throws IOException {
    Files.createDirectories(obstacle());
  }

  private void accept() throws IOException {
    Files.delete(obstacle());
    Files.deleteIfExists(obstacle().getParent());
  }

  private void tell() {
    writer.begin();
    writer.put(new KeyValue("/a", "1", 1), false);
    writer.complete(new StoreId("c", 1), 1);
  }

  private List<String> said() {
    return log.list.stream().map(ILoggingEvent::getMessage).toList();
  }

  @Test
  void a_disk_that_refuses_is_told_of_once_and_so_is_its_end() throws Exception {
    refuse();
    tell();
    for (int i = 0; i < 5; i++) {
      keeper.save();
    }
    assertThat(said()).singleElement().asString().contains("can't be saved", "give the disk room");
    assertThat(recordings).as("each reads the whole store").isEqualTo(1);

    accept();
    for (int i = 0; i < SnapshotKeeper.RUNS_A_RECORDING; i++) {
      keeper.save();
    }
    keeper.save();
    assertThat(said()).hasSize(2).last().asString().contains("is saved again");
    assertThat(SnapshotFile.read(file()).orElseThrow().items()).hasSize(1);
  }

  @Test
  void once_a_full_disk_has_room_again_the_state_is_saved_without_waiting() throws Exception {
    refuse();
    tell();
    keeper.save();
    keeper.save();
    accept();
    free = SnapshotKeeper.SPARE_OCTETS;
    keeper.save();
    keeper.save();
    assertThat(SnapshotFile.read(file()).orElseThrow().items()).hasSize(1);
    assertThat(said()).hasSize(2).last().asString().contains("is saved again");
  }
}
