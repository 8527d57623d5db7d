package io.margay.datastore.testing;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// A private etcd as a child process, on free loopback ports and a directory of the test's. Can be
/// killed and started again on the same data.
public final class EtcdProcess implements AutoCloseable {

  private static final String BINARY = "/usr/bin/etcd";
  private static final long START_LIMIT_SECONDS = 30;

  private final Path directory;
  private final int clientPort;
  private final int peerPort;
  private final List<String> options;
  private @Nullable Process process;

  public EtcdProcess(Path directory, String... options) throws IOException {
    this.directory = directory;
    this.options = List.of(options);
    try (ServerSocket client = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        ServerSocket peer = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      clientPort = client.getLocalPort();
      peerPort = peer.getLocalPort();
    }
    start();
  }

  public int clientPort() {
    return clientPort;
  }

  public String endpoint() {
    return "http://127.0.0.1:" + clientPort;
  }

  public void start() throws IOException {
    String peer = "http://127.0.0.1:" + peerPort;
    List<String> command =
        new ArrayList<>(
            List.of(
                BINARY,
                "--name=t",
                "--data-dir=" + directory.resolve("data"),
                "--listen-client-urls=" + endpoint(),
                "--advertise-client-urls=" + endpoint(),
                "--listen-peer-urls=" + peer,
                "--initial-advertise-peer-urls=" + peer,
                "--initial-cluster=t=" + peer));
    command.addAll(options);
    process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(
                ProcessBuilder.Redirect.appendTo(directory.resolve("etcd.log").toFile()))
            .start();
    awaitPort();
  }

  private void awaitPort() throws IOException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_LIMIT_SECONDS);
    while (System.nanoTime() < deadline) {
      try (Socket socket = new Socket()) {
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), clientPort), 500);
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
