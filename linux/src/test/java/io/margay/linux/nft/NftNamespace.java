package io.margay.linux.nft;

import io.margay.linux.netns.Netns;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/// A network namespace of this test's own, gone when closed.
final class NftNamespace implements AutoCloseable {

  private static final AtomicInteger NEXT = new AtomicInteger();

  private final String name =
      "mgyt-nft-" + ProcessHandle.current().pid() + "-" + NEXT.incrementAndGet();
  private final Netns netns;

  NftNamespace() throws IOException {
    run(List.of("ip", "netns", "add", name));
    netns = Netns.open(Path.of("/run/netns", name));
  }

  KernelNftables open() throws NftException {
    return KernelNftables.openIn(netns.fd());
  }

  int fd() {
    return netns.fd();
  }

  /// Runs the nft tool inside, as an administrator would.
  String nft(String... words) throws IOException {
    List<String> command = new ArrayList<>(List.of("nft"));
    command.addAll(List.of(words));
    return in(command.toArray(String[]::new));
  }

  /// Runs a command inside.
  String in(String... words) throws IOException {
    List<String> command = new ArrayList<>(List.of("ip", "netns", "exec", name));
    command.addAll(List.of(words));
    return run(command);
  }

  /// Runs the ip tool inside.
  String ip(String words) throws IOException {
    List<String> command = new ArrayList<>(List.of("ip", "-n", name));
    command.addAll(List.of(words.split(" ")));
    return run(command);
  }

  static String run(List<String> command) throws IOException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    try {
      if (!process.waitFor(30, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw new IOException(command + " did not end");
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IOException(interrupted);
    }
    if (process.exitValue() != 0) {
      throw new IOException(command + " exited " + process.exitValue() + ": " + output);
    }
    return output;
  }

  @Override
  public void close() throws IOException {
    netns.close();
    run(List.of("ip", "netns", "del", name));
  }
}
