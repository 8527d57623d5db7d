package io.margay.cni.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

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

  private Path queue(String container) throws Exception {
    CniRequest request =
        new CniRequest(
            Map.of(CniVariable.COMMAND, "DEL", CniVariable.CONTAINERID, container),
            "margay-cni",
            new byte[0]);
    return Files.write(directory.resolve(container + ".del"), CniFrame.encode(request));
  }

  @ParameterizedTest(name = "code {0}")
  @ValueSource(ints = {1, 2, 4, 6, 7})
  void what_is_refused_for_itself_is_set_aside(int code) throws Exception {
    Path file = queue("c1");
    int handled =
        new DeletionQueue(directory)
            .drain(_ -> CniReply.failure("{\"code\":" + code + ",\"msg\":\"no\"}"));
    assertThat(handled).isZero();
    assertThat(file).doesNotExist();
    assertThat(directory.resolve("c1.del.bad")).exists();
  }

  @Test
  void what_may_succeed_later_stays() throws Exception {
    Path file = queue("c1");
    new DeletionQueue(directory).drain(_ -> CniReply.failure("{\"code\":11,\"msg\":\"later\"}"));
    assertThat(file).exists();
  }

  @Test
  void a_deletion_is_abandoned_once_its_file_is_gone() throws Exception {
    Path file = queue("c1");
    new DeletionQueue(directory)
        .drain(
            call -> {
              assertThat(call.isAbandoned().getAsBoolean()).isFalse();
              assertThat(file.toFile().delete()).isTrue();
              assertThat(call.isAbandoned().getAsBoolean()).isTrue();
              return CniReply.failure("{\"code\":11,\"msg\":\"given up\"}");
            });
  }
}
