package io.margay.agent.firewall;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/// Other programs' daemons in the router namespace of a [FirewallNamespaces], in a mount namespace
/// of their own: what they keep in /run, /etc and /var is theirs and goes with it.
final class NeighbourMachine implements AutoCloseable {

  private static final long START_SECONDS = 90;
  private static final long END_SECONDS = 30;

  /// The daemons write there, and nowhere else.
  private static final List<String> OWN =
      List.of("/run", "/etc/firewalld", "/etc/docker", "/var/log");

  private final Path logs;
  private final Process holder;
  private final Deque<Process> daemons = new ArrayDeque<>();

  /// @param logs a folder for what daemons say
  NeighbourMachine(FirewallNamespaces lab, Path logs) throws IOException {
    this.logs = logs;
    StringBuilder script = new StringBuilder("set -e; ");
    for (String folder : OWN) {
      script.append("mount -t tmpfs tmpfs ").append(folder).append("; ");
    }
    script.append("mkdir /run/dbus /run/ready; exec sleep infinity");
    holder = lab.start("r", List.of("unshare", "-m", "sh", "-c", script.toString()));
    await("mount namespace", holder, "test -d /run/ready");
  }

  /// Starts a daemon that stays in the foreground and waits until `ready` succeeds.
  Process start(String ready, String... command) throws IOException {
    Path log = logs.resolve(Path.of(command[0]).getFileName() + "-" + daemons.size() + ".log");
    Process daemon =
        new ProcessBuilder(inside(List.of(command)))
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    daemons.push(daemon);
    try {
      await(command[0], daemon, ready);
    } catch (IOException failed) {
      throw new IOException(failed.getMessage() + ": " + Files.readString(log), failed);
    }
    return daemon;
  }

  private void await(String what, Process process, String ready) throws IOException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_SECONDS);
    while (code(List.of("sh", "-c", ready)) != 0) {
      if (!process.isAlive() || System.nanoTime() > end) {
        throw new IOException(what + (process.isAlive() ? " is not ready" : " has ended"));
      }
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(100));
    }
  }

  private List<String> inside(List<String> command) {
    List<String> words =
        new ArrayList<>(List.of("nsenter", "-t", Long.toString(holder.pid()), "-m", "-n", "--"));
    words.addAll(command);
    return words;
  }

  private int code(List<String> command) throws IOException {
    Process process =
        new ProcessBuilder(inside(command))
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    return process.onExit().join().exitValue();
  }

  /// Runs a command to its end.
  void run(String... command) throws IOException {
    FirewallNamespaces.run(inside(List.of(command)));
  }

  /// Ends a daemon as a service manager does.
  void stop(Process daemon) throws IOException {
    daemons.remove(daemon);
    daemon.destroy();
    try {
      if (!daemon.waitFor(END_SECONDS, TimeUnit.SECONDS)) {
        daemon.destroyForcibly();
        throw new IOException("process " + daemon.pid() + " did not end on SIGTERM");
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      daemon.destroyForcibly();
    }
  }

  @Override
  public void close() throws IOException {
    try {
      while (!daemons.isEmpty()) {
        stop(daemons.peek());
      }
    } finally {
      holder.destroyForcibly();
    }
  }
}
