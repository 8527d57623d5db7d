package io.margay.it.bgp;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/// A node and some routers, each in a network namespace of its own, and a directory for their
/// files.
///
/// Link N runs from the node's interface `rN` (10.203.N.1, fd00:203:N::1, fe80::1) to router N's
/// interface `node` (10.203.N.2, fd00:203:N::2, fe80::2).
final class Lab implements AutoCloseable {

  private static final AtomicInteger COUNT = new AtomicInteger();
  private static final Duration COMMAND_LIMIT = Duration.ofSeconds(30);

  /// How a command ended; its output and errors in one text.
  record Output(int exitCode, String text) {}

  final Path directory;
  private final String name;
  private final List<String> namespaces = new ArrayList<>();
  private final List<Process> processes = new ArrayList<>();

  private Lab() {
    name = "mgyt-" + ProcessHandle.current().pid() + "-" + COUNT.incrementAndGet();
    try {
      directory = Files.createTempDirectory("mgyt-bgp");
      // The daemons give up root and then make sockets and logs here.
      Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxrwxrwx"));
    } catch (IOException full) {
      throw new UncheckedIOException(full);
    }
  }

  /// The node with a direct link to each router.
  static Lab star(int routers) {
    Lab lab = new Lab();
    try {
      lab.namespace(lab.node());
      for (int number = 1; number <= routers; number++) {
        lab.namespace(lab.router(number));
        lab.link(lab.node(), "r" + number, lab.router(number), "node", number);
      }
      return lab;
    } catch (RuntimeException | Error failed) {
      lab.close();
      throw failed;
    }
  }

  /// Router 2 is two hops from the node: behind router 1, which forwards. Both ends know the way.
  static Lab behindRouter() {
    Lab lab = star(1);
    try {
      lab.namespace(lab.router(2));
      lab.link(lab.router(1), "far", lab.router(2), "node", 2);
      run(lab.router(1), "sysctl", "-qw", "net.ipv4.ip_forward=1");
      host("ip", "-n", lab.node(), "route", "add", "10.203.2.0/24", "via", "10.203.1.2");
      host("ip", "-n", lab.router(2), "route", "add", "10.203.1.0/24", "via", "10.203.2.1");
      return lab;
    } catch (RuntimeException | Error failed) {
      lab.close();
      throw failed;
    }
  }

  String node() {
    return name + "n";
  }

  String router(int number) {
    return name + "r" + number;
  }

  static String ours(int number) {
    return "10.203." + number + ".1";
  }

  static String theirs(int number) {
    return "10.203." + number + ".2";
  }

  static String ours6(int number) {
    return "fd00:203:" + number + "::1";
  }

  static String theirs6(int number) {
    return "fd00:203:" + number + "::2";
  }

  private void namespace(String namespace) {
    host("ip", "netns", "add", namespace);
    namespaces.add(namespace);
    host("ip", "-n", namespace, "link", "set", "lo", "up");
    run(
        namespace,
        "sysctl",
        "-qw",
        "net.ipv6.conf.all.accept_dad=0",
        "net.ipv6.conf.default.accept_dad=0",
        "net.ipv4.ping_group_range=0 0");
  }

  void link(String one, String oneDevice, String other, String otherDevice, int number) {
    host(
        "ip",
        "link",
        "add",
        oneDevice,
        "netns",
        one,
        "type",
        "veth",
        "peer",
        "name",
        otherDevice,
        "netns",
        other);
    addresses(one, oneDevice, number, 1);
    addresses(other, otherDevice, number, 2);
  }

  private static void addresses(String namespace, String device, int number, int end) {
    host("ip", "-n", namespace, "link", "set", device, "addrgenmode", "none");
    address(namespace, device, "10.203." + number + "." + end + "/24");
    address(namespace, device, "fd00:203:" + number + "::" + end + "/64");
    address(namespace, device, "fe80::" + end + "/64");
    host("ip", "-n", namespace, "link", "set", device, "up");
  }

  static void address(String namespace, String device, String address) {
    List<String> command =
        new ArrayList<>(List.of("ip", "-n", namespace, "addr", "add", address, "dev", device));
    if (address.contains(":")) {
      command.add("nodad");
    }
    host(command.toArray(String[]::new));
  }

  static String host(String... command) {
    Output output = attempt(command);
    if (output.exitCode() != 0) {
      throw new AssertionError(String.join(" ", command) + " failed: " + output.text());
    }
    return output.text();
  }

  /// A command that may fail.
  static Output attempt(String... command) {
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      process.getOutputStream().close();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (!process.waitFor(COMMAND_LIMIT.toSeconds(), TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw new AssertionError(String.join(" ", command) + " did not end in " + COMMAND_LIMIT);
      }
      return new Output(process.exitValue(), output);
    } catch (IOException cannotStart) {
      throw new AssertionError(
          command[0] + " does not start; is its package installed? ./dev doctor", cannotStart);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new AssertionError(interrupted);
    }
  }

  static String run(String namespace, String... command) {
    return host(inside(namespace, command));
  }

  static Output tryRun(String namespace, String... command) {
    return attempt(inside(namespace, command));
  }

  private static String[] inside(String namespace, String... command) {
    return Stream.concat(Stream.of("ip", "netns", "exec", namespace), Arrays.stream(command))
        .toArray(String[]::new);
  }

  /// A process inside, with its output in a file of the lab's directory.
  Process start(String namespace, String log, String... command) {
    try {
      Process process =
          new ProcessBuilder(inside(namespace, command))
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.appendTo(directory.resolve(log).toFile()))
              .start();
      process.getOutputStream().close();
      processes.add(process);
      return process;
    } catch (IOException cannotStart) {
      throw new AssertionError(
          command[0] + " does not start; is its package installed? ./dev doctor", cannotStart);
    }
  }

  /// A directory of its own for one daemon.
  Path room(String daemon) {
    try {
      Path room = Files.createDirectories(directory.resolve(daemon));
      Files.setPosixFilePermissions(room, PosixFilePermissions.fromString("rwxrwxrwx"));
      return room;
    } catch (IOException full) {
      throw new UncheckedIOException(full);
    }
  }

  static void write(Path file, String text) {
    try {
      Files.writeString(file, text);
    } catch (IOException full) {
      throw new UncheckedIOException(full);
    }
  }

  static String read(Path file) {
    try {
      return Files.exists(file) ? Files.readString(file) : "";
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
  }

  static void forget(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException refused) {
      throw new UncheckedIOException(refused);
    }
  }

  /// SIGKILL to the process and all it started; returns when the process is gone.
  static void kill(Process process) {
    List<ProcessHandle> children = process.descendants().toList();
    process.destroyForcibly();
    children.forEach(ProcessHandle::destroyForcibly);
    await(process);
  }

  static void freeze(Process process) {
    process.descendants().forEach(child -> host("kill", "-STOP", Long.toString(child.pid())));
    signal(process, "STOP");
  }

  static int await(Process process) {
    try {
      if (!process.waitFor(20, TimeUnit.SECONDS)) {
        throw new AssertionError(process.info().commandLine().orElse("a process") + " stays");
      }
      return process.exitValue();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new AssertionError(interrupted);
    }
  }

  static void signal(Process process, String signal) {
    host("kill", "-" + signal, Long.toString(process.pid()));
  }

  @Override
  public void close() {
    for (Process process : processes) {
      if (process.isAlive()) {
        kill(process);
      }
    }
    for (String namespace : namespaces) {
      host("ip", "netns", "del", namespace);
    }
    try (Stream<Path> files = Files.walk(directory)) {
      files.sorted(Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
    } catch (IOException leftBehind) {
      throw new UncheckedIOException(leftBehind);
    }
  }
}
