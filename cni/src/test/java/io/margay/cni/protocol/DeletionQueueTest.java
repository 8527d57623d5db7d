package io.margay.cni.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What clients left on disk, seen from the agent.
final class DeletionQueueTest {

  @TempDir Path directory;

  @Test
  void what_a_client_was_killed_over_is_forgotten_and_the_rest_is_handled() throws Exception {
    CniRequest request =
        new CniRequest(
            Map.of(CniVariable.COMMAND, "DEL", CniVariable.CONTAINERID, "c1"),
            "margay-cni",
            new byte[0]);
    byte[] frame = CniFrame.encode(request);
    Files.write(directory.resolve("00000000000000ab.del"), frame);
    Files.write(directory.resolve(".00000000000000cd.del.4711"), new byte[] {'M'});
    int handled = new DeletionQueue(directory).drain(_ -> CniReply.success(""));
    assertThat(handled).isEqualTo(1);
    try (Stream<Path> left = Files.list(directory)) {
      assertThat(left.map(file -> file.getFileName().toString())).containsExactly(".lock");
    }
  }
}
