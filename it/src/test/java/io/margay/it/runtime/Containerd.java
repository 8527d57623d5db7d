package io.margay.it.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.it.Rack;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// Debian's containerd with everything it keeps in the machine's directory, and the image loaded
/// for both of its clients: `ctr` and the CRI.
final class Containerd implements AutoCloseable {

  private static final String LOG = "containerd.log";
  private static final int ATTEMPTS = 150;
  private static final long POLL_MILLIS = 100;

  @SuppressWarnings("InlineFormatString") // a file of its own, read as one
  private static final String CONFIG =
      """
      version = 2
      root = "%1$s/containerd/root"
      state = "/run/containerd-state"
      oom_score = 0
      disabled_plugins = [
        "io.containerd.internal.v1.opt",
        "io.containerd.snapshotter.v1.aufs",
        "io.containerd.snapshotter.v1.btrfs",
        "io.containerd.snapshotter.v1.devmapper",
        "io.containerd.snapshotter.v1.zfs",
      ]
      [grpc]
        address = "%2$s"
      [plugins."io.containerd.grpc.v1.cri"]
        sandbox_image = "%3$s"
        restrict_oom_score_adj = true
        disable_apparmor = true
        [plugins."io.containerd.grpc.v1.cri".cni]
          bin_dir = "/usr/lib/cni"
          conf_dir = "/etc/cni/net.d"
        [plugins."io.containerd.grpc.v1.cri".containerd]
          snapshotter = "native"
      """;

  private final Machine machine;
  private final Path socket;
  private final Process process;

  private Containerd(Machine machine, Path socket, Process process) {
    this.machine = machine;
    this.socket = socket;
    this.process = process;
  }

  /// @param namespaces of containerd's that get the image: `default` for `ctr`, `k8s.io` for the
  ///   CRI
  static Containerd start(Machine machine, String... namespaces)
      throws IOException, InterruptedException {
    Path archive = Image.archive(machine.directory());
    Path config = machine.directory().resolve("containerd.toml");
    Path socket = machine.directory().resolve("containerd.sock");
    Files.writeString(config, CONFIG.formatted(machine.directory(), socket, Image.NAME));
    Containerd containerd =
        new Containerd(
            machine,
            socket,
            machine.start(Map.of(), LOG, "containerd", "--config", config.toString()));
    containerd.awaitReady();
    for (String namespace : namespaces) {
      containerd.ctr(
          "--namespace",
          namespace,
          "images",
          "import",
          "--snapshotter",
          "native",
          archive.toString());
    }
    return containerd;
  }

  private void awaitReady() throws InterruptedException {
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (!process.isAlive()) {
        throw new IllegalStateException("containerd ended:\n" + machine.log(LOG));
      }
      if (Files.exists(socket) && run("version").exitCode() == 0) {
        return;
      }
      Thread.sleep(POLL_MILLIS);
    }
    throw new IllegalStateException("containerd does not answer:\n" + machine.log(LOG));
  }

  /// A command of `ctr` that must succeed; what it printed.
  String ctr(String... arguments) {
    Rack.Run run = run(arguments);
    assertThat(run.exitCode())
        .as("ctr %s: %s%s", String.join(" ", arguments), run.out(), run.err())
        .isZero();
    return run.out();
  }

  private Rack.Run run(String... arguments) {
    return machine.run(command(List.of(arguments)).toArray(String[]::new));
  }

  /// What to execute in the machine for these arguments of `ctr`.
  List<String> command(List<String> arguments) {
    List<String> command = new ArrayList<>(List.of("ctr", "--address", socket.toString()));
    command.addAll(arguments);
    return command;
  }

  Cri cri() {
    return new Cri(socket);
  }

  String log() {
    return machine.log(LOG);
  }

  @Override
  public void close() {
    try {
      machine.stop(process);
    } catch (InterruptedException stopping) {
      Thread.currentThread().interrupt();
    }
  }
}
