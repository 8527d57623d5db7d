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

/// Debian's podman with its CNI backend, storing and running in the machine's directory.
final class Podman {

  /// podman 5 dropped CNI.
  private static final int FIRST_WITHOUT_CNI = 5;

  @SuppressWarnings("InlineFormatString") // a file of its own, read as one
  private static final String CONFIG =
      """
      [containers]
      default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
      [engine]
      cgroup_manager = "cgroupfs"
      events_logger = "file"
      runtime = "runc"
      [network]
      network_backend = "cni"
      cni_plugin_dirs = ["/usr/lib/cni"]
      network_config_dir = "/etc/cni/net.d"
      default_network = "%s"
      """;

  private final Machine machine;
  private final Path config;

  private Podman(Machine machine, Path config) {
    this.machine = machine;
    this.config = config;
  }

  /// @param network the name of the network containers join
  static Podman in(Machine machine, String network) throws IOException {
    Path config = machine.directory().resolve("containers.conf");
    Files.writeString(config, CONFIG.formatted(network));
    return new Podman(machine, config);
  }

  /// Whether this version can call CNI plugins at all.
  boolean hasCni() {
    String version = run("--version").replaceFirst("podman version ", "").strip();
    return Integer.parseInt(version.substring(0, version.indexOf('.'))) < FIRST_WITHOUT_CNI;
  }

  void load() throws IOException, InterruptedException {
    run("load", "--input", Image.archive(machine.directory()).toString());
  }

  /// A command that must succeed; what it printed.
  String run(String... arguments) {
    Rack.Run run = attempt(arguments);
    assertThat(run.exitCode())
        .as("podman %s: %s%s", String.join(" ", arguments), run.out(), run.err())
        .isZero();
    return run.out().strip();
  }

  Rack.Run attempt(String... arguments) {
    List<String> command =
        new ArrayList<>(
            List.of(
                "podman",
                "--root",
                machine.directory().resolve("podman").toString(),
                "--runroot",
                "/run/podman-runroot",
                "--storage-driver",
                "vfs"));
    command.addAll(List.of(arguments));
    return machine.run(
        Map.of("CONTAINERS_CONF", config.toString()), command.toArray(String[]::new));
  }

  JsonNode inspect(String container) {
    return Machine.parse(run("inspect", container)).get(0);
  }
}
