package io.margay.it.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.margay.it.Rack;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Debian's Docker Engine, storing and running in the machine's directory, with the agent's socket
/// where it looks for plugins. It writes no rules and makes no bridge: what the containers reach,
/// they reach by us.
final class Docker implements AutoCloseable {

  private static final String LOG = "dockerd.log";
  private static final String SOCKET = "unix:///run/docker.sock";
  private static final String PID_FILE = "/run/docker.pid";
  private static final String EXEC_ROOT = "/run/docker-exec";

  private final Machine machine;
  private @Nullable Process daemon;

  private Docker(Machine machine) {
    this.machine = machine;
  }

  static Docker start(Machine machine) throws IOException, InterruptedException {
    Docker docker = new Docker(machine);
    machine.out("mkdir", "-p", "/run/docker/plugins");
    machine.out("mount", "--bind", machine.lab().dockerPlugins().toString(), "/run/docker/plugins");
    docker.start();
    Path root = Image.root(machine.directory());
    docker.run(
        "import",
        "--change",
        "CMD [\"/bin/nc\", \"-ll\", \"-p\", \"80\", \"-e\", \"/bin/hostname\"]",
        root.toString(),
        Image.NAME);
    return docker;
  }

  /// Starts the daemon, on what an earlier one has left.
  void start() throws IOException, InterruptedException {
    // Containers that outlived a daemon are not asked whether they are its.
    machine.out("rm", "-f", PID_FILE);
    Process started =
        machine.start(
            Map.of(),
            LOG,
            "dockerd",
            "--host",
            SOCKET,
            "--pidfile",
            PID_FILE,
            "--data-root",
            machine.directory().resolve("docker").toString(),
            "--exec-root",
            EXEC_ROOT,
            "--storage-driver",
            "vfs",
            "--exec-opt",
            "native.cgroupdriver=cgroupfs",
            "--cgroup-parent",
            "/" + machine.cgroup(),
            "--bridge",
            "none",
            "--iptables=false",
            "--ip-forward=false",
            "--ip-masq=false");
    daemon = started;
    Machine.until(
        "dockerd answers",
        () -> machine.log(LOG),
        () -> !started.isAlive() || attempt("version").exitCode() == 0);
    assertThat(started.isAlive()).as(() -> machine.log(LOG)).isTrue();
  }

  /// Kills the daemon at once; containers live on, and their networks stay as they are.
  void kill() throws IOException, InterruptedException {
    machine.out("kill", "-KILL", pid());
    Objects.requireNonNull(daemon).waitFor();
  }

  private String pid() {
    return machine.out("cat", PID_FILE).strip();
  }

  /// Without a daemon: ends every container, and gives up the namespaces that are kept for them.
  void endContainers() {
    machine.out(
        "sh",
        "-c",
        "pkill -KILL -f '^/usr/bin/containerd-shim-runc-v2 ' ; pkill -KILL -x nc;"
            + " for netns in "
            + EXEC_ROOT
            + "/netns/*; do umount $netns || true; done");
  }

  /// A command that must succeed; what it printed.
  String run(String... arguments) {
    Rack.Run run = attempt(arguments);
    assertThat(run.exitCode())
        .as(
            "docker %s: %s%s\n%s",
            String.join(" ", arguments), run.out(), run.err(), machine.log(LOG))
        .isZero();
    return run.out().strip();
  }

  /// What a command that is refused says.
  String refused(String... arguments) {
    Rack.Run run = attempt(arguments);
    assertThat(run.exitCode()).as("docker %s", String.join(" ", arguments)).isNotZero();
    return run.err();
  }

  Rack.Run attempt(String... arguments) {
    return machine.run(command(arguments));
  }

  /// A command whose end is not waited for.
  Process begin(String log, String... arguments) throws IOException {
    return machine.start(Map.of(), log, command(arguments));
  }

  private static String[] command(String... arguments) {
    List<String> command = new ArrayList<>(List.of("/usr/bin/docker", "--host", SOCKET));
    command.addAll(List.of(arguments));
    return command.toArray(String[]::new);
  }

  /// What Docker says of a container in a network.
  JsonNode seen(String container, String network) {
    return Machine.parse(run("inspect", container))
        .get(0)
        .path("NetworkSettings")
        .path("Networks")
        .path(network);
  }

  String ipv4(String container, String network) {
    return seen(container, network).path("IPAddress").asText();
  }

  String ipv6(String container, String network) {
    return seen(container, network).path("GlobalIPv6Address").asText();
  }

  String log() {
    return machine.log(LOG);
  }

  @Override
  public void close() throws IOException {
    if (daemon != null && daemon.isAlive()) {
      try {
        machine.stop(daemon);
      } catch (InterruptedException stopping) {
        Thread.currentThread().interrupt();
      }
    }
    Files.deleteIfExists(machine.directory().resolve("root.tar"));
  }
}
