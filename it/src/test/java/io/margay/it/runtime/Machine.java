package io.margay.it.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.it.Rack;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/// The lab's node as a runtime sees it: the node's network, a file system where `/run`,
/// `/etc/cni/net.d`, the plugin directories, `/var/lib/cni` and podman's `/var/lib/containers` (it
/// keeps a cache there whatever its root) are the suite's own, and a process namespace whose end
/// ends whatever was started in it. One for each class of tests.
///
/// When the class is done, the node must hold what it held before: [Leftovers] compares.
final class Machine implements BeforeAllCallback, AfterAllCallback {

  /// Pid 1 of the machine: mounts, says that it is ready, reaps orphans, and ends with its standard
  /// input, so that nothing outlives the tests even if they are killed.
  private static final String INIT =
      """
      set -e
      mount --make-rprivate /
      mkdir -p /etc/cni/net.d /var/lib/cni /var/lib/containers /usr/lib/cni
      mount --bind /run/margay-lab "$1/lab"
      : >"$1/netns"
      mount --bind "/run/netns/$2" "$1/netns"
      mount -t tmpfs tmpfs /run
      mkdir -p /run/margay-lab /run/netns
      mount --bind "$1/lab" /run/margay-lab
      : >"/run/netns/$2"
      mount --bind "$1/netns" "/run/netns/$2"
      mount -t tmpfs tmpfs /var/lib/cni
      mount -t tmpfs tmpfs /var/lib/containers
      mount --bind "$1/net.d" /etc/cni/net.d
      mount --bind /usr/lib/cni "$1/debian"
      mount --bind "$1/plugins" /usr/lib/cni
      [ ! -d /opt/cni/bin ] || mount --bind "$1/plugins" /opt/cni/bin
      mount -t proc proc /proc
      echo ready
      exec 3<&0
      cat <&3 >/dev/null &
      wait $!
      """;

  /// Stands in the plugin directory: keeps what a runtime sends and gets, and passes both on.
  @SuppressWarnings("InlineFormatString") // a script of its own, read as one
  private static final String RECORDER =
      """
      #!/bin/sh
      call=%1$s/$(date +%%s%%N).$$
      /bin/cat >$call.stdin
      /usr/bin/env | /bin/grep '^CNI_' >$call.env
      %2$s <$call.stdin >$call.stdout
      code=$?
      /bin/cat $call.stdout
      echo $code >$call.part
      /bin/mv $call.part $call.code
      exit $code
      """;

  private static final int EXIT_SECONDS = 20;
  private static final long PATIENCE_NANOS = 30_000_000_000L;
  private static final long POLL_MILLIS = 100;

  /// One call of our plugin.
  ///
  /// @param code the exit code
  record Call(Map<String, String> environment, JsonNode config, String stdout, int code) {

    String verb() {
      return environment.getOrDefault("CNI_COMMAND", "");
    }

    String netns() {
      return environment.getOrDefault("CNI_NETNS", "");
    }

    String containerId() {
      return environment.getOrDefault("CNI_CONTAINERID", "");
    }

    @Override
    public String toString() {
      return verb() + " " + containerId() + " -> " + code + " " + stdout.strip();
    }
  }

  private @Nullable RuntimeLab lab;
  private @Nullable Path directory;
  private @Nullable Process init;
  private @Nullable Leftovers before;
  private String cgroup = "";
  private long pid;

  @Override
  public void beforeAll(ExtensionContext context) throws Exception {
    RuntimeLab raised = RuntimeLab.shared(context);
    lab = raised;
    before = Leftovers.of(raised);
    Path made = Files.createTempDirectory("mgyt-rt" + ProcessHandle.current().pid() + "-");
    directory = made;
    cgroup = made.getFileName().toString();
    for (String name : List.of("lab", "debian", "net.d", "plugins", "real", "calls")) {
      Files.createDirectory(made.resolve(name));
    }
    Files.copy(raised.conflist(), made.resolve("net.d/05-margay.conflist"));
    plugins(raised, made);
    assertThat(Rack.run(Map.of(), "", List.of("ip", "netns", "add", cgroup)).exitCode()).isZero();
    Process started =
        new ProcessBuilder(
                "nsenter",
                "--net=/run/netns/" + raised.nodeNetns(),
                "unshare",
                "--mount",
                "--pid",
                "--fork",
                "--kill-child",
                "sh",
                "-c",
                INIT,
                "init",
                made.toString(),
                cgroup)
            .redirectError(made.resolve("init.log").toFile())
            .start();
    init = started;
    BufferedReader said =
        new BufferedReader(new InputStreamReader(started.getInputStream(), StandardCharsets.UTF_8));
    assertThat(said.readLine()).as(() -> log("init.log")).isEqualTo("ready");
    pid = started.children().findFirst().orElseThrow().pid();
  }

  private static void plugins(RuntimeLab lab, Path directory) throws IOException {
    try (Stream<Path> debian = Files.list(Path.of("/usr/lib/cni"))) {
      for (Path plugin : debian.toList()) {
        Files.createSymbolicLink(
            directory.resolve("plugins").resolve(plugin.getFileName()),
            directory.resolve("debian").resolve(plugin.getFileName()));
      }
    }
    for (String name : List.of("margay-cni", "margay-ipam")) {
      Path real = directory.resolve("real").resolve(name);
      Files.copy(lab.plugin(), real);
      Files.setPosixFilePermissions(real, PosixFilePermissions.fromString("rwxr-xr-x"));
      Path recorder = directory.resolve("plugins").resolve(name);
      Files.writeString(recorder, RECORDER.formatted(directory.resolve("calls"), real));
      Files.setPosixFilePermissions(recorder, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
  }

  @Override
  public void afterAll(ExtensionContext context) throws Exception {
    try {
      if (before != null) {
        // Before the machine's end: that would take leaked pods' namespaces, and their links,
        // along.
        before.assertNothingMore();
      }
    } finally {
      end();
    }
  }

  private void end() throws IOException, InterruptedException {
    if (init != null) {
      init.getOutputStream().close();
      if (!init.waitFor(EXIT_SECONDS, TimeUnit.SECONDS)) {
        init.destroyForcibly().waitFor();
      }
    }
    if (directory != null) {
      Rack.run(Map.of(), "", List.of("ip", "netns", "del", cgroup));
      removeCgroups();
      remove(directory);
    }
  }

  /// Runtimes leave the parent of their containers' groups.
  private void removeCgroups() throws IOException {
    try (Stream<Path> controllers = Files.list(Path.of("/sys/fs/cgroup"))) {
      for (Path controller : controllers.filter(Files::isDirectory).toList()) {
        Path ours = controller.resolve(cgroup);
        if (Files.isDirectory(ours)) {
          try (Stream<Path> below = Files.walk(ours)) {
            for (Path group :
                below.filter(Files::isDirectory).sorted(Comparator.reverseOrder()).toList()) {
              Files.delete(group);
            }
          }
        }
      }
    }
    Files.deleteIfExists(Path.of("/sys/fs/cgroup", cgroup));
  }

  private static void remove(Path directory) throws IOException {
    try (Stream<Path> below = Files.walk(directory)) {
      for (Path path : below.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(path);
      }
    }
  }

  RuntimeLab lab() {
    return present(lab);
  }

  /// A directory that exists as long as the class runs, here and in the machine.
  Path directory() {
    return present(directory);
  }

  /// The parent of the control groups of what runs in the machine.
  String cgroup() {
    return cgroup;
  }

  /// A network namespace that has the same path here, where the agent looks, and in the machine.
  String sharedNetns() {
    return cgroup;
  }

  private static <T> T present(@Nullable T made) {
    if (made == null) {
      throw new IllegalStateException("the machine is not up");
    }
    return made;
  }

  String log(String name) {
    try {
      Path file = directory().resolve(name);
      return Files.exists(file) ? Files.readString(file) : name + " does not exist";
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }

  /// Runs a command in the machine, whatever its exit code.
  Rack.Run run(String... command) {
    return run(Map.of(), command);
  }

  Rack.Run run(Map<String, String> environment, String... command) {
    try {
      return Rack.run(environment(environment), "", inside(List.of(command)));
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(interrupted);
    }
  }

  /// Runs a command that must succeed; what it printed.
  String out(String... command) {
    Rack.Run run = run(command);
    assertThat(run.exitCode())
        .as("%s: %s%s", String.join(" ", command), run.out(), run.err())
        .isZero();
    return run.out();
  }

  JsonNode json(String... command) {
    return parse(out(command));
  }

  static JsonNode parse(String text) {
    try {
      return RuntimeLab.JSON.readTree(text);
    } catch (JsonProcessingException notJson) {
      throw new AssertionError("not JSON: " + text, notJson);
    }
  }

  /// A daemon, whose output goes to `log` in the machine's directory.
  Process start(Map<String, String> environment, String log, String... command) throws IOException {
    ProcessBuilder builder = new ProcessBuilder(inside(List.of(command)));
    builder.environment().putAll(environment(environment));
    return builder
        .redirectErrorStream(true)
        .redirectOutput(directory().resolve(log).toFile())
        .start();
  }

  /// Ends a daemon of [#start] as an administrator would, by its own pid.
  void stop(Process daemon) throws InterruptedException {
    daemon.children().forEach(ProcessHandle::destroy);
    if (!daemon.waitFor(EXIT_SECONDS, TimeUnit.SECONDS)) {
      daemon.destroyForcibly().waitFor();
    }
  }

  private Map<String, String> environment(Map<String, String> further) {
    Map<String, String> environment = new LinkedHashMap<>();
    environment.put("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    environment.put("HOME", directory().toString());
    environment.put("TMPDIR", directory().toString());
    environment.putAll(further);
    return environment;
  }

  private List<String> inside(List<String> command) {
    List<String> full =
        new ArrayList<>(
            List.of("nsenter", "-t", Long.toString(pid), "--mount", "--net", "--pid", "--"));
    full.addAll(command);
    return full;
  }

  /// Replaces what stands in the configuration directory by one file.
  void configure(String file, String conflist) throws IOException {
    Path directory = directory().resolve("net.d");
    try (Stream<Path> files = Files.list(directory)) {
      for (Path old : files.toList()) {
        Files.delete(old);
      }
    }
    Files.writeString(directory.resolve(file), conflist);
  }

  /// The lab's conflist, to be altered.
  ObjectNode conflist() throws IOException {
    return (ObjectNode) RuntimeLab.JSON.readTree(lab().conflist().toFile());
  }

  /// Calls of our plugin since [#forgetCalls], oldest first.
  List<Call> calls() {
    try (Stream<Path> files = Files.list(directory().resolve("calls"))) {
      List<Call> calls = new ArrayList<>();
      for (Path code : files.filter(file -> file.toString().endsWith(".code")).sorted().toList()) {
        String base = code.toString().substring(0, code.toString().length() - ".code".length());
        Map<String, String> environment = new LinkedHashMap<>();
        for (String line : Files.readAllLines(Path.of(base + ".env"))) {
          int equals = line.indexOf('=');
          environment.put(line.substring(0, equals), line.substring(equals + 1));
        }
        calls.add(
            new Call(
                environment,
                parse(Files.readString(Path.of(base + ".stdin"))),
                Files.readString(Path.of(base + ".stdout")),
                Integer.parseInt(Files.readString(code).strip())));
      }
      return calls;
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }

  List<Call> calls(String verb) {
    return calls().stream().filter(call -> call.verb().equals(verb)).toList();
  }

  void forgetCalls() throws IOException {
    try (Stream<Path> files = Files.list(directory().resolve("calls"))) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
  }

  /// What a pod's port answers to somebody on the node; empty if nobody does.
  String ask(String address, int port) {
    return run("busybox", "nc", "-w", "3", address, Integer.toString(port)).out().strip();
  }

  /// The same for somebody at the router, who knows the pod through BGP alone.
  String askFromRouter(String address, int port) {
    try {
      return Rack.run(
              Map.of(),
              "",
              List.of(
                  "nsenter",
                  "--net=/run/netns/" + lab().routerNetns(),
                  "busybox",
                  "nc",
                  "-w",
                  "3",
                  address,
                  Integer.toString(port)))
          .out()
          .strip();
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(interrupted);
    }
  }

  /// Waits for a condition of another process; the limit bounds a failure, it measures nothing.
  static void until(String what, Supplier<String> state, BooleanSupplier holds)
      throws InterruptedException {
    long deadline = System.nanoTime() + PATIENCE_NANOS;
    while (!holds.getAsBoolean()) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError(what + ": not so in 30 s:\n" + state.get());
      }
      Thread.sleep(POLL_MILLIS);
    }
  }
}
