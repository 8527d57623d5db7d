package io.margay.datastore.testing;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// A private etcd as a child process, on free loopback ports and a directory of the test's. Can be
/// killed and started again on the same data.
public final class EtcdProcess implements AutoCloseable {

  private static final String BINARY = "/usr/bin/etcd";
  private static final long START_LIMIT_SECONDS = 30;

  private static final String ETCDCTL = "/usr/bin/etcdctl";

  private final Path directory;
  private final String name;
  private final String scheme;
  private final int clientPort;
  private final int peerPort;
  private final List<String> options;
  private String initialCluster;
  private @Nullable Process process;

  public EtcdProcess(Path directory, String... options) throws IOException {
    this(directory, "t", "http", List.of(options));
    start();
  }

  private EtcdProcess(Path directory, String name, String scheme, List<String> options)
      throws IOException {
    this.directory = directory;
    this.name = name;
    this.scheme = scheme;
    this.options = options;
    try (ServerSocket client = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        ServerSocket peer = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      clientPort = client.getLocalPort();
      peerPort = peer.getLocalPort();
    }
    initialCluster = name + "=" + peerUrl();
  }

  /// A server whose clients speak TLS.
  ///
  /// @param options among them its certificate and key
  public static EtcdProcess withTls(Path directory, String... options) throws IOException {
    EtcdProcess etcd = new EtcdProcess(directory, "t", "https", List.of(options));
    etcd.start();
    return etcd;
  }

  /// Servers that elect a leader among them; all run and know each other.
  public static List<EtcdProcess> cluster(Path directory, int members) throws IOException {
    List<EtcdProcess> all = new ArrayList<>();
    for (int i = 0; i < members; i++) {
      Path own = Files.createDirectories(directory.resolve("m" + i));
      all.add(new EtcdProcess(own, "m" + i, "http", List.of()));
    }
    String together =
        String.join(",", all.stream().map(member -> member.name + "=" + member.peerUrl()).toList());
    for (EtcdProcess member : all) {
      member.initialCluster = together;
      member.launch();
    }
    for (EtcdProcess member : all) {
      member.awaitPort();
    }
    return all;
  }

  public int clientPort() {
    return clientPort;
  }

  public String endpoint() {
    return scheme + "://127.0.0.1:" + clientPort;
  }

  private String peerUrl() {
    return "http://127.0.0.1:" + peerPort;
  }

  public void start() throws IOException {
    launch();
    awaitPort();
  }

  private void launch() throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
                BINARY,
                "--name=" + name,
                "--data-dir=" + data(),
                "--listen-client-urls=" + endpoint(),
                "--advertise-client-urls=" + endpoint(),
                "--listen-peer-urls=" + peerUrl(),
                "--initial-advertise-peer-urls=" + peerUrl(),
                "--initial-cluster=" + initialCluster));
    command.addAll(options);
    process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(
                ProcessBuilder.Redirect.appendTo(directory.resolve("etcd.log").toFile()))
            .start();
  }

  /// Where it keeps what it knows.
  public Path data() {
    return directory.resolve("data");
  }

  /// Runs `etcdctl` on this server.
  ///
  /// @return what it printed
  /// @throws IOException when it fails, with what it said
  public String etcdctl(String... words) throws IOException {
    List<String> command = new ArrayList<>(List.of(ETCDCTL, "--endpoints=" + endpoint()));
    command.addAll(List.of(words));
    return run(command);
  }

  /// Puts a backup in the place of this server's data, as an operator would. It must not run.
  public void restore(Path backup, Path into) throws IOException {
    run(
        List.of(
            ETCDCTL,
            "snapshot",
            "restore",
            backup.toString(),
            "--name=" + name,
            "--initial-cluster=" + initialCluster,
            "--initial-advertise-peer-urls=" + peerUrl(),
            "--data-dir=" + into));
    Files.move(data(), directory.resolve("data-before-" + System.nanoTime()));
    Files.move(into, data());
  }

  private static String run(List<String> command) throws IOException {
    Process tool = new ProcessBuilder(command).redirectErrorStream(true).start();
    try (InputStream output = tool.getInputStream()) {
      String said = new String(output.readAllBytes(), UTF_8);
      if (tool.waitFor() != 0) {
        throw new IOException(String.join(" ", command) + ": " + said);
      }
      return said;
    } catch (InterruptedException stop) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", stop);
    }
  }

  /// Stops it from running, as a host that hangs does; its connections stay open.
  public void freeze() throws IOException {
    signal("STOP");
  }

  public void thaw() throws IOException {
    signal("CONT");
  }

  private void signal(String what) throws IOException {
    run(List.of("kill", "-" + what, Long.toString(Objects.requireNonNull(process).pid())));
  }

  private void awaitPort() throws IOException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_LIMIT_SECONDS);
    while (System.nanoTime() < deadline) {
      try (Socket socket = new Socket()) {
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), clientPort), 500);
        if (!isRunning()) {
          throw new IOException("somebody else listens on port " + clientPort);
        }
        return;
      } catch (IOException notYet) {
        if (!isRunning()) {
          throw new IOException("etcd ended at once; see " + directory.resolve("etcd.log"), notYet);
        }
        try {
          Thread.sleep(20);
        } catch (InterruptedException stop) {
          Thread.currentThread().interrupt();
          throw new IOException("interrupted", stop);
        }
      }
    }
    throw new IOException(
        "etcd does not listen on " + endpoint() + " after " + START_LIMIT_SECONDS + " s");
  }

  private boolean isRunning() {
    return process != null && process.isAlive();
  }

  /// Stops it as a power cut would.
  public void kill() {
    Process running = process;
    if (running != null) {
      running.destroyForcibly();
      try {
        running.waitFor(10, TimeUnit.SECONDS);
      } catch (InterruptedException stop) {
        Thread.currentThread().interrupt();
      }
    }
  }

  @Override
  public void close() {
    kill();
  }
}
