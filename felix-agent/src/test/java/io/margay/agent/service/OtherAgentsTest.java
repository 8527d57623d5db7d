package io.margay.agent.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OtherAgentsTest {

  private static final Path HERE = Path.of("net:[4026531840]");
  private static final Path ELSEWHERE = Path.of("net:[4026532999]");

  @TempDir private Path proc;

  @Test
  void felix_of_every_age_is_found_in_this_namespace_only() throws Exception {
    process(10, "calico-node", "calico-node\0-felix\0", HERE);
    process(11, "calico-felix", "calico-felix\0", HERE);
    process(12, "calico", "/usr/bin/calico\0component\0node\0felix\0", HERE);
    process(13, "calico-node", "calico-node\0-felix\0", ELSEWHERE);
    process(14, "calico", "/usr/bin/calico\0component\0apiserver\0", HERE);
    process(15, "bird", "bird\0-f\0", HERE);
    process(16, "calicoctl", "calicoctl\0node\0status\0", HERE);
    Files.createDirectories(proc.resolve("sys"));
    Files.createDirectories(proc.resolve("17"));
    assertThat(OtherAgents.in(proc, HERE))
        .extracting(OtherAgents.Found::toString)
        .containsExactlyInAnyOrder(
            "calico-node (process 10)", "calico-felix (process 11)", "calico (process 12)");
  }

  @Test
  void this_machine_can_be_looked_at() {
    assertThatCode(OtherAgents::here).doesNotThrowAnyException();
  }

  private void process(long pid, String name, String arguments, Path namespace) throws IOException {
    Path directory = Files.createDirectories(proc.resolve(Long.toString(pid)).resolve("ns"));
    Files.createSymbolicLink(directory.resolve("net"), namespace);
    Files.writeString(directory.resolveSibling("comm"), name + "\n");
    Files.writeString(directory.resolveSibling("cmdline"), arguments);
  }
}
