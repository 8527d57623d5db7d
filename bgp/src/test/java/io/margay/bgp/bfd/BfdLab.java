package io.margay.bgp.bfd;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.stream.Stream;

/// Three namespaces in a row: `near` (10.211.1.2) - `middle`, a router - `far` (10.211.2.2). The
/// router has .1 and ::1 on each link, fd00:211:1::/64 and fd00:211:2::/64; its devices are called
/// `near` and `far`, those of the ends `end`. The ends have fe80::2, the router fe80::1.
final class BfdLab implements AutoCloseable {

  private static final AtomicInteger NUMBER = new AtomicInteger();
  private static final Duration DEADLINE = Duration.ofSeconds(45);
  private static final Duration PAUSE = Duration.ofMillis(10);

  private final String base =
      "mgyt-bfd-" + ProcessHandle.current().pid() + "-" + NUMBER.incrementAndGet();
  final String near = base + "n";
  final String middle = base + "m";
  final String far = base + "f";
  final Path directory;
  private final List<String> made = new ArrayList<>();
  private final List<Node> nodes = new ArrayList<>();
  private final List<Process> processes = new ArrayList<>();

  BfdLab() throws IOException {
    directory =
        Files.createTempDirectory(
            "mgyt-bfd",
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxrwxrwx")));
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxrwxrwx"));
    try {
      for (String name : List.of(near, middle, far)) {
        host("ip netns add " + name);
        made.add(name);
        ip(name, "link set lo up");
        inside(
            name,
            "sysctl",
            "-qw",
            "net.ipv6.conf.all.accept_dad=0",
            "net.ipv6.conf.default.accept_dad=0",
            "net.ipv6.conf.default.addr_gen_mode=1",
            "net.ipv4.ip_forward=1",
            "net.ipv6.conf.all.forwarding=1");
      }
      link(near, 1, "near");
      link(far, 2, "far");
    } catch (RuntimeException | Error failed) {
      close();
      throw failed;
    }
  }

  /// Between an end and the router; `device` is the router's.
  void link(String end, int number, String device) {
    host("ip link add end netns " + end + " type veth peer name " + device + " netns " + middle);
    for (String[] at : new String[][] {{end, "end", "2"}, {middle, device, "1"}}) {
      ip(at[0], "addr add 10.211." + number + "." + at[2] + "/24 dev " + at[1]);
      ip(at[0], "link set " + at[1] + " up");
      for (String address : List.of("fd00:211:" + number + "::" + at[2], "fe80::" + at[2])) {
        ip(at[0], "addr add " + address + "/64 dev " + at[1] + " nodad");
      }
    }
    ip(end, "route add default via 10.211." + number + ".1");
    ip(end, "-6 route add default via fd00:211:" + number + "::1");
  }

  void ip(String namespace, String command) {
    host("ip -n " + namespace + " " + command);
  }

  static String inside(String namespace, String... command) {
    List<String> all = new ArrayList<>(List.of("ip", "netns", "exec", namespace));
    all.addAll(List.of(command));
    return run(all);
  }

  private static void host(String command) {
    run(Arrays.asList(command.split(" ")));
  }

  private static String run(List<String> command) {
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      process.getOutputStream().close();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (!process.waitFor(30, TimeUnit.SECONDS) || process.exitValue() != 0) {
        throw new AssertionError(String.join(" ", command) + " failed: " + output);
      }
      return output;
    } catch (IOException cannotStart) {
      throw new UncheckedIOException(cannotStart);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new AssertionError(interrupted);
    }
  }

  /// A daemon; `ip netns exec` becomes it, so the process is the daemon's own.
  Process daemon(String namespace, String log, String... command) throws IOException {
    List<String> all = new ArrayList<>(List.of("ip", "netns", "exec", namespace));
    all.addAll(List.of(command));
    Process process =
        new ProcessBuilder(all)
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve(log).toFile())
            .start();
    processes.add(process);
    return process;
  }

  /// Our BFD in a namespace.
  Node node(String namespace) throws Exception {
    Node node = new Node(namespace);
    nodes.add(node);
    return node;
  }

  static final class Node {
    record Event(BfdPeer peer, BfdChange change, long nanos) {}

    final BlockingQueue<Event> events = new LinkedBlockingQueue<>();
    final BfdSessions sessions = BfdSessions.start(this::changed);

    /// How long the loop stands still, in the midst of reading, at each change.
    volatile Duration pauseAtChange = Duration.ZERO;

    private Node(String namespace) throws Exception {
      // The loop's thread makes every socket, and a thread has a namespace of its own.
      sessions
          .loop()
          .submit(
              () -> {
                enter(namespace);
                return true;
              })
          .get();
    }

    private void changed(BfdPeer peer, BfdChange change) {
      events.add(new Event(peer, change, System.nanoTime()));
      try {
        Thread.sleep(pauseAtChange);
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
      }
    }

    Event event() throws InterruptedException {
      Event event = events.poll(DEADLINE.toSeconds(), TimeUnit.SECONDS);
      if (event == null) {
        throw new AssertionError("nothing changes; " + sessions.status());
      }
      return event;
    }

    BfdStatus status(String peer) {
      return sessions.status().stream()
          .filter(status -> status.peer().peer().toString().equals(peer))
          .findFirst()
          .orElseThrow(() -> new AssertionError("no session " + peer + ": " + sessions.status()));
    }

    void awaitState(String peer, BfdState state) throws InterruptedException {
      await(peer + " " + state, sessions::status, () -> status(peer).state() == state);
    }
  }

  static void await(String what, Supplier<?> instead, BooleanSupplier condition)
      throws InterruptedException {
    long end = System.nanoTime() + DEADLINE.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > end) {
        throw new AssertionError("never came: " + what + "; instead: " + instead.get());
      }
      Thread.sleep(PAUSE);
    }
  }

  /// Moves the calling thread, which serves nothing else, into a namespace.
  private static void enter(String namespace) throws IOException {
    Linker linker = Linker.nativeLinker();
    try (Arena arena = Arena.ofConfined()) {
      MethodHandle open =
          linker.downcallHandle(
              linker.defaultLookup().findOrThrow("open"),
              FunctionDescriptor.of(
                  ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT),
              Linker.Option.firstVariadicArg(2));
      MethodHandle setns =
          linker.downcallHandle(
              linker.defaultLookup().findOrThrow("setns"),
              FunctionDescriptor.of(
                  ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
      MethodHandle close =
          linker.downcallHandle(
              linker.defaultLookup().findOrThrow("close"),
              FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
      MemorySegment path = arena.allocateFrom("/run/netns/" + namespace);
      int fd = (int) open.invokeExact(path, 0);
      int moved = fd < 0 ? -1 : (int) setns.invokeExact(fd, 0x40000000);
      int closed = fd < 0 ? -1 : (int) close.invokeExact(fd);
      if (moved != 0 || closed != 0) {
        throw new IOException("cannot enter the network namespace " + namespace);
      }
    } catch (RuntimeException | Error | IOException failed) {
      throw failed;
    } catch (Throwable impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  @Override
  public void close() {
    try {
      nodes.forEach(node -> node.sessions.stop());
      for (Process process : processes) {
        process.destroyForcibly();
        if (!process.waitFor(10, TimeUnit.SECONDS)) {
          throw new AssertionError("process " + process.pid() + " does not end");
        }
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    } finally {
      for (String name : made) {
        host("ip netns del " + name);
      }
      forget(directory);
    }
  }

  private static void forget(Path directory) {
    try (Stream<Path> files = Files.walk(directory)) {
      files.sorted(Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
    } catch (IOException cannotList) {
      throw new UncheckedIOException(cannotList);
    }
  }
}
