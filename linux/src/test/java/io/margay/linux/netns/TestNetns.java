package io.margay.linux.netns;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/// A named namespace for one test, made and read by `ip`: the independent witness.
public final class TestNetns implements AutoCloseable {

  private static final AtomicInteger COUNTER = new AtomicInteger();

  private final String name;
  private final Netns netns;

  private TestNetns(String name) throws IOException {
    this.name = name;
    netns = Netns.open(Path.of("/var/run/netns", name));
  }

  public static TestNetns create() throws IOException {
    String name = "mgyt-" + ProcessHandle.current().pid() + "-" + COUNTER.incrementAndGet();
    run("ip", "netns", "add", name);
    return new TestNetns(name);
  }

  public Netns netns() {
    return netns;
  }

  public int fd() {
    return netns.fd();
  }

  /// Runs `ip -n NAME ARGUMENTS` and returns its output.
  public String ip(String arguments) throws IOException {
    return inside("ip", arguments);
  }

  /// Runs `tc -n NAME ARGUMENTS` and returns its output.
  public String tc(String arguments) throws IOException {
    return inside("tc", arguments);
  }

  /// Runs `bridge -n NAME ARGUMENTS` and returns its output.
  public String bridge(String arguments) throws IOException {
    return inside("bridge", arguments);
  }

  /// Runs a command inside and returns its output.
  public String exec(String... command) throws IOException {
    List<String> all = new ArrayList<>(List.of("ip", "netns", "exec", name));
    all.addAll(List.of(command));
    return run(all.toArray(String[]::new));
  }

  private String inside(String tool, String arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of(tool, "-n", name));
    command.addAll(List.of(arguments.split(" ")));
    return run(command.toArray(String[]::new));
  }

  private static String run(String... command) throws IOException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    try {
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      int status = process.waitFor();
      if (status != 0) {
        throw new IOException(String.join(" ", command) + ": " + status + ": " + output);
      }
      return output;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(e);
    }
  }

  @Override
  public void close() throws IOException {
    netns.close();
    run("ip", "netns", "del", name);
  }
}
