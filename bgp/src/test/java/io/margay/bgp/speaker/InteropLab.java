package io.margay.bgp.speaker;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/// Network namespaces with a daemon in one and our speaker, as its own process, in another.
///
/// The node is 10.201.N.1 and fd00:201:N::1 in `mgyt-bgp-<pid>n`; router N is .2 and ::2 in
/// `mgyt-bgp-<pid>rN`.
final class InteropLab implements AutoCloseable {

  private static final String BASE = "mgyt-bgp-" + ProcessHandle.current().pid();

  final Path directory;
  private final List<String> namespaces = new ArrayList<>();
  private final List<Process> processes = new ArrayList<>();

  InteropLab(int routers) throws IOException {
    directory = Files.createTempDirectory("mgyt-bgp");
    directory.toFile().setExecutable(true, false);
    directory.toFile().setReadable(true, false);
    directory.toFile().setWritable(true, false);
    try {
      namespace(node());
      run(
          node(),
          "sysctl",
          "-qw",
          "net.ipv6.conf.all.accept_dad=0",
          "net.ipv6.conf.default.accept_dad=0");
      for (int number = 1; number <= routers; number++) {
        namespace(router(number));
        run(
            router(number),
            "sysctl",
            "-qw",
            "net.ipv6.conf.all.accept_dad=0",
            "net.ipv6.conf.default.accept_dad=0");
        host(
            "ip",
            "link",
            "add",
            "r" + number,
            "netns",
            node(),
            "type",
            "veth",
            "peer",
            "name",
            "node",
            "netns",
            router(number));
        address(node(), "r" + number, number, 1);
        address(router(number), "node", number, 2);
      }
    } catch (RuntimeException | Error failed) {
      close();
      throw failed;
    }
  }

  static String node() {
    return BASE + "n";
  }

  static String router(int number) {
    return BASE + "r" + number;
  }

  private void namespace(String name) {
    host("ip", "netns", "add", name);
    namespaces.add(name);
    host("ip", "-n", name, "link", "set", "lo", "up");
  }

  private static void address(String namespace, String device, int number, int end) {
    host(
        "ip",
        "-n",
        namespace,
        "addr",
        "add",
        "10.201." + number + "." + end + "/24",
        "dev",
        device);
    host(
        "ip",
        "-n",
        namespace,
        "addr",
        "add",
        "fd00:201:" + number + "::" + end + "/64",
        "dev",
        device,
        "nodad");
    host("ip", "-n", namespace, "link", "set", device, "up");
  }

  static String host(String... command) {
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

  static String run(String namespace, String... command) {
    List<String> inside = new ArrayList<>(List.of("ip", "netns", "exec", namespace));
    inside.addAll(List.of(command));
    return host(inside.toArray(String[]::new));
  }

  /// A process inside, its output in a file of the lab directory.
  Process start(String namespace, String log, String... command) throws IOException {
    List<String> inside = new ArrayList<>(List.of("ip", "netns", "exec", namespace));
    inside.addAll(List.of(command));
    Process process =
        new ProcessBuilder(inside)
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve(log).toFile())
            .start();
    processes.add(process);
    return process;
  }

  String bird(int router, String command) {
    return run(
        router(router),
        "birdc",
        "-s",
        directory.resolve("bird" + router + ".ctl").toString(),
        command);
  }

  void startBird(int router, String bgp) throws IOException {
    Path config = directory.resolve("bird" + router + ".conf");
    Files.writeString(
        config,
        """
        log "%1$s/bird%2$d.log" all;
        router id 10.201.%2$d.2;
        protocol device { scan time 1; }
        protocol kernel { ipv4 { export where source = RTS_BGP; }; merge paths on; }
        protocol kernel { ipv6 { export where source = RTS_BGP; }; merge paths on; }
        protocol static { ipv4; route 10.99.0.0/26 blackhole; }
        protocol static { ipv6; route fd00:99::/122 blackhole; }
        protocol bgp node {
          local 10.201.%2$d.2 as 65100;
          neighbor 10.201.%2$d.1 as 65001;
          connect delay time 1; connect retry time 2; error wait time 1,2;
          %3$s
          ipv4 { import all; export where source = RTS_STATIC; next hop self; };
          ipv6 { import all; export where source = RTS_STATIC; next hop address fd00:201:%2$d::2; };
        }
        """
            .formatted(directory, router, bgp));
    start(
        router(router),
        "bird" + router + ".out",
        "bird",
        "-f",
        "-c",
        config.toString(),
        "-s",
        directory.resolve("bird" + router + ".ctl").toString());
    Waiting.until(
        "bird's socket", () -> "", () -> Files.exists(directory.resolve("bird" + router + ".ctl")));
  }

  void startFrr(int router, String bgp) throws IOException {
    Path config = directory.resolve("bgpd.conf");
    Files.writeString(
        config,
        """
        frr defaults datacenter
        log file %1$s/bgpd.log debugging
        route-map V6 permit 10
         set ipv6 next-hop global fd00:201:%2$d::2
        router bgp 65100
         bgp router-id 10.201.%2$d.2
         no bgp ebgp-requires-policy
         no bgp network import-check
         timers bgp 3 9
         neighbor 10.201.%2$d.1 remote-as 65001
         neighbor 10.201.%2$d.1 timers connect 2
         %3$s
         address-family ipv4 unicast
          network 10.99.0.0/26
          neighbor 10.201.%2$d.1 activate
         exit-address-family
         address-family ipv6 unicast
          network fd00:99::/122
          neighbor 10.201.%2$d.1 activate
          neighbor 10.201.%2$d.1 route-map V6 out
         exit-address-family
        """
            .formatted(directory, router, bgp));
    startZebra(router);
    start(
        router(router),
        "bgpd.out",
        "/usr/lib/frr/bgpd",
        "-f",
        config.toString(),
        "-i",
        directory.resolve("bgpd.pid").toString(),
        "--vty_socket",
        directory.toString(),
        "-z",
        directory.resolve("zserv").toString(),
        "-n",
        "-S");
    Waiting.until("FRR's socket", () -> "", () -> Files.exists(directory.resolve("bgpd.vty")));
  }

  /// From FRR 10 on, bgpd takes IPv6 from a peer only when zebra has told it of an IPv6 address on
  /// the session's interface.
  private void startZebra(int router) throws IOException {
    // zebra gives up root before it makes its sockets.
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxrwxrwx"));
    Path config = directory.resolve("zebra.conf");
    Files.writeString(config, "log file " + directory.resolve("zebra.log") + "\n");
    start(
        router(router),
        "zebra.out",
        "/usr/lib/frr/zebra",
        "-f",
        config.toString(),
        "-i",
        directory.resolve("zebra.pid").toString(),
        "--vty_socket",
        directory.toString(),
        "-z",
        directory.resolve("zserv").toString());
    Waiting.until("zebra's socket", () -> "", () -> Files.exists(directory.resolve("zserv")));
  }

  String vtysh(String command) {
    return host("vtysh", "--vty_socket", directory.toString(), "-c", command);
  }

  /// Our speaker as a process.
  static final class Speaker {
    private final Process process;
    private final Writer commands;
    private final List<String> lines = Collections.synchronizedList(new ArrayList<>());

    private Speaker(Process process) {
      this.process = process;
      this.commands = new OutputStreamWriter(process.getOutputStream(), StandardCharsets.UTF_8);
      Thread.ofPlatform()
          .daemon()
          .start(
              () -> {
                try (BufferedReader reader =
                    new BufferedReader(
                        new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
                  reader.lines().forEach(lines::add);
                } catch (IOException | UncheckedIOException ended) {
                  lines.add("output ends: " + ended);
                }
              });
    }

    void tell(String command) throws IOException {
      commands.write(command + "\n");
      commands.flush();
    }

    List<String> lines() {
      synchronized (lines) {
        return List.copyOf(lines);
      }
    }

    /// The newest line that begins so, without that beginning.
    String last(String beginning) {
      String found = "";
      for (String line : lines()) {
        if (line.startsWith(beginning)) {
          found = line.substring(beginning.length());
        }
      }
      return found;
    }

    void awaitFib(String routes) {
      Waiting.until("FIB " + routes, this::lines, () -> last("FIB ").equals(routes));
    }

    void awaitSwept() {
      Waiting.until(
          "both families swept",
          this::lines,
          () -> lines().contains("SWEEP IPV4") && lines().contains("SWEEP IPV6"));
    }

    /// SIGKILL: the process gets no chance to say goodbye.
    void kill() throws InterruptedException {
      for (ProcessHandle child : process.descendants().toList()) {
        child.destroyForcibly();
      }
      process.destroyForcibly().waitFor();
    }

    void stop() throws IOException, InterruptedException {
      commands.close();
      if (!process.waitFor(20, TimeUnit.SECONDS)) {
        throw new AssertionError("the speaker does not end: " + lines());
      }
    }
  }

  Speaker speaker(String... settings) throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
                "ip",
                "netns",
                "exec",
                node(),
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Xmx128m",
                "-cp",
                classPath(),
                SpeakerMain.class.getName(),
                "asn=65001",
                "id=10.201.1.1",
                "v4=10.201.1.1",
                "v6=fd00:201:1::1"));
    command.addAll(List.of(settings));
    Process process =
        new ProcessBuilder(command)
            .redirectError(directory.resolve("speaker.err").toFile())
            .start();
    processes.add(process);
    return new Speaker(process);
  }

  /// The class path of this JVM, whoever loaded the tests.
  private static String classPath() {
    List<String> entries = new ArrayList<>();
    for (ClassLoader loader = InteropLab.class.getClassLoader();
        loader != null;
        loader = loader.getParent()) {
      if (loader instanceof URLClassLoader urls) {
        for (URL url : urls.getURLs()) {
          entries.add(Path.of(url.getPath()).toString());
        }
      }
    }
    entries.add(System.getProperty("java.class.path"));
    return String.join(File.pathSeparator, entries);
  }

  @Override
  public void close() {
    for (Process process : processes) {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
    for (Process process : processes) {
      try {
        process.waitFor(10, TimeUnit.SECONDS);
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
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
