package io.margay.cli.lab;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.datastore.KeyValue;
import io.margay.datastore.SnapshotWriter;
import io.margay.datastore.StoreId;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LeakCheckerFilesTest {

  @TempDir private Path directory;

  @Test
  void what_the_last_known_good_state_no_longer_holds_is_no_leak() throws Exception {
    Path file = directory.resolve("datastore.snapshot");
    StoreId store = new StoreId("c", 1);
    try (SnapshotWriter writer =
        new SnapshotWriter(file, List.of("http://10.0.0.1:2379"), InstantSource.system())) {
      writer.begin();
      writer.put(new KeyValue("/pods/a", "{\"containerID\":\"dead\"}", 1), true);
      writer.complete(store, 1);
      writer.save();
      assertThat(LeakChecker.content(file)).contains("dead");
      writer.delete("/pods/a");
      writer.complete(store, 2);
      writer.save();
    }
    assertThat(Files.readString(file, ISO_8859_1)).contains("dead");
    assertThat(LeakChecker.content(file)).doesNotContain("dead");
  }

  @Test
  void what_the_reserve_has_told_the_datastore_does_not_count() throws Exception {
    Path file = directory.resolve("reserve");
    String dead = "1a {\"op\":\"take\",\"handle\":\"net.dead\",\"document\":\"…\"}\n";
    String alive = "2b {\"op\":\"take\",\"handle\":\"net.alive\"}\n";
    Files.writeString(file, dead + alive);
    assertThat(LeakChecker.content(file)).contains("dead", "alive");
    Files.writeString(file, dead + alive + "3c {\"op\":\"settle\",\"handle\":\"net.dead\"}\n");
    assertThat(LeakChecker.content(file)).contains("alive").doesNotContain("dead");
  }

  @Test
  void a_pod_that_came_and_went_counts_while_the_datastore_may_have_heard_of_it() throws Exception {
    Path file = directory.resolve("reserve");
    String taken = "1a {\"op\":\"take\",\"handle\":\"net.dead\",\"moving\":false}\n";
    String released = "2b {\"op\":\"release\",\"handle\":\"net.dead\",\"at\":7}\n";
    Files.writeString(file, taken + released);
    assertThat(LeakChecker.content(file)).isEmpty();
    String moving = "3c {\"op\":\"moving\",\"handle\":\"net.dead\"}\n";
    Files.writeString(file, taken + moving + released);
    assertThat(LeakChecker.content(file)).contains("dead");
    Files.writeString(file, taken.replace("false", "true") + released);
    assertThat(LeakChecker.content(file)).contains("dead");
  }

  @Test
  void a_file_that_an_agent_has_deleted_meanwhile_is_no_leak() throws Exception {
    assertThat(LeakChecker.content(directory.resolve("c1@eth0.begun.json"))).isEmpty();
  }
}
