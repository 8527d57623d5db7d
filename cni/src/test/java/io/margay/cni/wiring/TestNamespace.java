package io.margay.cni.wiring;

import io.margay.linux.LinuxException;
import io.margay.linux.netns.Netns;
import io.margay.linux.socket.OwnedFd;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;

/// A network namespace of this test run, deleted when closed, and programs run inside it.
public final class TestNamespace implements AutoCloseable {

  private static final AtomicInteger COUNTER = new AtomicInteger();

  private final String name =
      "mgyt-cni-" + ProcessHandle.current().pid() + "-" + COUNTER.incrementAndGet();
  private final OwnedFd fd;

  public TestNamespace() throws IOException {
    run(List.of("ip", "netns", "add", name));
    fd = OwnedFd.openForReading(path());
  }

  public String name() {
    return name;
  }

  public Path path() {
    return Path.of("/var/run/netns", name);
  }

  public OwnedFd fd() {
    return fd;
  }

  public Netns.NetnsId id() throws LinuxException {
    return Netns.NetnsId.of(fd.number());
  }

  /// Runs a program inside; its output, when it ends with 0.
  public String exec(String commandLine) throws IOException {
    List<String> command = new ArrayList<>(List.of("ip", "netns", "exec", name));
    command.addAll(List.of(commandLine.split(" ")));
    return run(command);
  }

  /// A step inside the namespace.
  @FunctionalInterface
  public interface Step<T> {
    T run() throws Exception;
  }

  /// Runs Java inside, on a thread of its own, as the agent's threads are inside theirs.
  public <T> T inside(Step<T> step) throws Exception {
    FutureTask<T> done =
        Netns.callIn(
            fd.number(),
            () -> {
              FutureTask<T> task = new FutureTask<>(step::run);
              task.run();
              return task;
            });
    try {
      return done.get();
    } catch (ExecutionException failed) {
      if (failed.getCause() instanceof Exception cause) {
        throw cause;
      }
      throw failed;
    }
  }

  static String run(List<String> command) throws IOException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    try {
      process.getOutputStream().close();
      String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (process.waitFor() != 0) {
        throw new IOException(command + ": " + said);
      }
      return said;
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IOException(interrupted);
    }
  }

  @Override
  public void close() {
    fd.close();
    try {
      run(List.of("ip", "netns", "del", name));
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }
}
