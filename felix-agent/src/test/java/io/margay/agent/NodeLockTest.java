package io.margay.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NodeLockTest {

  @TempDir private Path runDir;

  @Test
  void a_second_agent_on_one_run_directory_is_refused_until_the_first_is_gone() throws Exception {
    try (NodeLock _ = NodeLock.take(runDir)) {
      assertThatThrownBy(() -> NodeLock.take(runDir))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("agent.lock")
          .hasMessageContaining("another margay agent");
    }
    NodeLock.take(runDir).close();
  }

  @Test
  void the_lock_of_another_process_is_respected_and_ends_with_it() throws Exception {
    Process holder = start();
    try {
      assertThat(holder.inputReader().readLine()).isEqualTo("held");
      assertThatThrownBy(() -> NodeLock.take(runDir)).isInstanceOf(IOException.class);
    } finally {
      holder.destroyForcibly();
    }
    assertThat(holder.waitFor(30, TimeUnit.SECONDS)).isTrue();
    NodeLock.take(runDir).close();
  }

  private Process start() throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-cp",
            home(NodeLock.class) + File.pathSeparator + home(Holder.class),
            Holder.class.getName(),
            runDir.toString())
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start();
  }

  /// Where a class was loaded from: a launcher's own class path may say nothing of it.
  private static String home(Class<?> type) {
    return Path.of(URI.create(type.getProtectionDomain().getCodeSource().getLocation().toString()))
        .toString();
  }

  /// Holds the lock until it is killed.
  static final class Holder {
    private Holder() {}

    public static void main(String[] args) throws Exception {
      try (NodeLock _ = NodeLock.take(Path.of(args[0]))) {
        System.out.println("held");
        System.in.read();
      }
    }
  }
}
