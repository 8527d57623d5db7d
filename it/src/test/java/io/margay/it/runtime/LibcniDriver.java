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
import java.util.stream.Stream;

/// A program of ours around Debian's libcni: what every runtime in Go does with a plugin, without
/// the runtime.
final class LibcniDriver {

  private static final String GO_SOURCES = "/usr/share/gocode";

  private final Machine machine;
  private final Path program;
  private final Path cache;

  private LibcniDriver(Machine machine, Path program, Path cache) {
    this.machine = machine;
    this.program = program;
    this.cache = cache;
  }

  static LibcniDriver build(Machine machine) throws IOException, InterruptedException {
    Path program = machine.directory().resolve("libcni_driver");
    Rack.Run built =
        Rack.run(
            Map.of(
                "GO111MODULE",
                "off",
                "GOPATH",
                GO_SOURCES,
                "CGO_ENABLED",
                "0",
                "GOCACHE",
                machine.directory().resolve("gocache").toString()),
            "",
            List.of(
                "go",
                "build",
                "-o",
                program.toString(),
                Rack.ROOT.resolve("it/src/test/go/libcni_driver.go").toString()));
    assertThat(built.exitCode()).as("go build: %s", built.err()).isZero();
    return new LibcniDriver(
        machine, program, Files.createDirectory(machine.directory().resolve("libcni")));
  }

  /// One list for one container's `eth0`.
  Attachment attach(String conflist, String containerId, String netns) throws IOException {
    Path file = machine.directory().resolve(containerId + ".conflist");
    Files.writeString(file, conflist);
    return new Attachment(file, containerId, netns);
  }

  /// What libcni remembers of attachments that are not deleted.
  List<String> remembered() throws IOException {
    Path results = cache.resolve("results");
    if (!Files.isDirectory(results)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(results)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  /// The verbs, as libcni calls them.
  final class Attachment {

    private final Path conflist;
    private final String containerId;
    private final String netns;

    private Attachment(Path conflist, String containerId, String netns) {
      this.conflist = conflist;
      this.containerId = containerId;
      this.netns = netns;
    }

    Rack.Run attempt(String verb) {
      List<String> command =
          new ArrayList<>(
              List.of(
                  program.toString(),
                  verb,
                  conflist.toString(),
                  "/usr/lib/cni",
                  cache.toString(),
                  containerId,
                  "/run/netns/" + netns,
                  "eth0",
                  "IgnoreUnknown=1"));
      return machine.run(command.toArray(String[]::new));
    }

    private String succeed(String verb) {
      Rack.Run run = attempt(verb);
      assertThat(run.exitCode()).as("libcni %s: %s", verb, run.err()).isZero();
      return run.out();
    }

    JsonNode add() {
      return Machine.parse(succeed("add"));
    }

    void check() {
      succeed("check");
    }

    void del() {
      succeed("del");
    }

    String validate() {
      return succeed("validate").strip();
    }
  }
}
