package io.margay.datastore.etcd;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// A network that loses packets without a word, as a dead switch does: connections stay open and
/// nothing arrives. [PartitionProbe] does each of it in a network namespace of its own.
@Tag("netns")
class EtcdPartitionTest {

  private static final long LIMIT_SECONDS = 180;

  private final String namespace = "mgyt-part" + ProcessHandle.current().pid();

  @BeforeEach
  void makeNamespace() throws Exception {
    run(List.of("ip", "netns", "add", namespace));
    run(List.of("ip", "-n", namespace, "link", "set", "lo", "up"));
  }

  @AfterEach
  void removeNamespace() throws Exception {
    run(List.of("ip", "netns", "del", namespace));
  }

  @ParameterizedTest
  @EnumSource(PartitionProbe.Scene.class)
  void silent_loss_is_noticed_and_nothing_is_lost_or_repeated(
      PartitionProbe.Scene scene, @TempDir Path directory) throws Exception {
    run(
        List.of(
            "ip",
            "netns",
            "exec",
            namespace,
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--enable-native-access=ALL-UNNAMED",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-Dvertx.disableFileCaching=true",
            "-Dvertx.disableFileCPResolving=true",
            "-cp",
            System.getProperty("java.class.path"),
            PartitionProbe.class.getName(),
            scene.name(),
            directory.toString()));
  }

  private static void run(List<String> command) throws Exception {
    Process process =
        new ProcessBuilder(new ArrayList<>(command)).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)).as(said).isTrue();
    assertThat(process.exitValue())
        .as("%s … %s: %s", command.getFirst(), command.getLast(), said)
        .isZero();
  }
}
