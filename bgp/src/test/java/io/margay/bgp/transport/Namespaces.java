package io.margay.bgp.transport;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// Three namespaces in a row: `left` (10.210.1.2) - `middle`, a router - `right` (10.210.2.2). The
/// router has .1 and ::1 on each link, fd00:210:1::/64 and fd00:210:2::/64; devices are called
/// `left`, `right` in the router and `end` at the ends. The ends have fe80::2, the router fe80::1.
final class Namespaces implements AutoCloseable {

  private static final String BASE = "mgyt-tr-" + ProcessHandle.current().pid();

  final String left = BASE + "l";
  final String middle = BASE + "m";
  final String right = BASE + "r";
  private final List<String> made = new ArrayList<>();

  Namespaces() {
    try {
      for (String name : List.of(left, middle, right)) {
        run("ip", "netns", "add", name);
        made.add(name);
        run("ip", "-n", name, "link", "set", "lo", "up");
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
      link(left, 1, "left");
      link(right, 2, "right");
    } catch (RuntimeException | Error failed) {
      close();
      throw failed;
    }
  }

  private void link(String end, int number, String device) {
    run(
        ("ip link add end netns " + end + " type veth peer name " + device + " netns " + middle)
            .split(" "));
    for (String[] at : new String[][] {{end, "end", "2"}, {middle, device, "1"}}) {
      run("ip", "-n", at[0], "addr", "add", "10.210." + number + "." + at[2] + "/24", "dev", at[1]);
      run("ip", "-n", at[0], "link", "set", at[1], "up");
      for (String address : List.of("fd00:210:" + number + "::" + at[2], "fe80::" + at[2])) {
        run("ip", "-n", at[0], "addr", "add", address + "/64", "dev", at[1], "nodad");
      }
    }
    run("ip", "-n", end, "route", "add", "default", "via", "10.210." + number + ".1");
    run("ip", "-n", end, "-6", "route", "add", "default", "via", "fd00:210:" + number + "::1");
  }

  static void inside(String namespace, String... command) {
    List<String> all = new ArrayList<>(List.of("ip", "netns", "exec", namespace));
    all.addAll(List.of(command));
    run(all.toArray(String[]::new));
  }

  private static void run(String... command) {
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (!process.waitFor(30, TimeUnit.SECONDS) || process.exitValue() != 0) {
        throw new AssertionError(String.join(" ", command) + " failed: " + output);
      }
    } catch (IOException cannotStart) {
      throw new UncheckedIOException(cannotStart);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new AssertionError(interrupted);
    }
  }

  /// Moves the calling thread, a platform thread that serves nothing else, into a namespace.
  static void enter(String namespace) throws IOException {
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
      if (fd >= 0) {
        int closed = (int) close.invokeExact(fd);
        assert closed == 0;
      }
      if (moved != 0) {
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
    for (String name : made) {
      run("ip", "netns", "del", name);
    }
  }
}
