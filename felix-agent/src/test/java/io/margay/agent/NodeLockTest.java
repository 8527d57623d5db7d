package io.margay.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NodeLockTest {

  @TempDir private Path runDir;

  /// One a test: the namespace is everybody's.
  private final String name = "margay/test/" + UUID.randomUUID();

  @Test
  void a_second_agent_on_one_run_directory_is_refused_until_the_first_is_gone() throws Exception {
    try (NodeLock _ = NodeLock.take(runDir, name)) {
      assertThatThrownBy(() -> NodeLock.take(runDir, name))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("agent.lock")
          .hasMessageContaining("another margay agent");
    }
    NodeLock.take(runDir, name).close();
  }

  @Test
  void a_second_agent_in_one_network_namespace_is_refused_whatever_its_directory(
      @TempDir Path other) throws Exception {
    try (NodeLock _ = NodeLock.take(runDir, name)) {
      assertThatThrownBy(() -> NodeLock.take(other, name))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("another margay agent serves this network namespace");
    }
    NodeLock.take(other, name).close();
  }

  @Test
  @Tag("netns")
  void another_user_who_takes_the_name_does_not_keep_agents_from_starting() throws Exception {
    Process squatter =
        new ProcessBuilder(
                "setpriv",
                "--reuid=65534",
                "--clear-groups",
                "perl",
                "-MSocket",
                "-e",
                "socket(S, AF_UNIX, SOCK_DGRAM, 0) && bind(S, pack_sockaddr_un(\"\\0\" . $ARGV[0]))"
                    + " or die $!; $| = 1; print \"held\\n\"; <STDIN>",
                name)
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try {
      assertThat(squatter.inputReader().readLine()).isEqualTo("held");
      NodeLock.take(runDir, name).close();
    } finally {
      squatter.destroyForcibly().waitFor();
    }
  }

  @Test
  void the_lock_of_another_process_is_respected_and_ends_with_it() throws Exception {
    Process holder = start();
    try {
      assertThat(holder.inputReader().readLine()).isEqualTo("held");
      assertThatThrownBy(() -> NodeLock.take(runDir, name)).isInstanceOf(IOException.class);
    } finally {
      holder.destroyForcibly();
    }
    assertThat(holder.waitFor(30, TimeUnit.SECONDS)).isTrue();
    NodeLock.take(runDir, name).close();
  }

  private Process start() throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-cp",
            String.join(
                File.pathSeparator,
                home(NodeLock.class),
                home(Holder.class),
                System.getProperty("java.class.path")),
            Holder.class.getName(),
            runDir.toString(),
            name)
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start();
  }

  /// Where a class was loaded from: a launcher's own class path may say nothing of ours.
  private static String home(Class<?> type) {
    return Path.of(URI.create(type.getProtectionDomain().getCodeSource().getLocation().toString()))
        .toString();
  }

  /// Holds the lock until it is killed.
  static final class Holder {
    private Holder() {}

    public static void main(String[] args) throws Exception {
      try (NodeLock _ = NodeLock.take(Path.of(args[0]), args[1])) {
        System.out.println("held");
        System.in.read();
      }
    }
  }
}
