package io.margay.cli.lab;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

/// A program of the lab that runs on in its own session after the command has returned; stdout and
/// stderr go to its log, its process id to the file beside it.
///
/// @param name as messages call it
/// @param startedNanos `System.nanoTime()` just before it was started
public record Daemon(String name, ProcessHandle process, Path log, long startedNanos) {

  private static final Duration POLL = Duration.ofMillis(5);
  private static final int SHOWN_LINES = 8;

  /// Starts `argv` inside `namespace`.
  static Daemon start(String name, String namespace, Path directory, List<String> argv)
      throws LabException {
    List<String> all = new ArrayList<>(List.of("setsid", "ip", "netns", "exec", namespace));
    all.addAll(argv);
    Path log = directory.resolve(name + ".out");
    try {
      Files.createDirectories(directory);
      ProcessBuilder builder =
          new ProcessBuilder(all)
              .redirectInput(new File("/dev/null"))
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
              .directory(directory.toFile());
      long now = System.nanoTime();
      // setsid, ip and the launcher each replace themselves by the next: the id stays the same.
      Process process = builder.start();
      Files.writeString(directory.resolve(name + ".pid"), process.pid() + "\n");
      return new Daemon(name, process.toHandle(), log, now);
    } catch (IOException failed) {
      throw new LabException(name + " can't be started: " + failed.getMessage(), failed);
    }
  }

  /// Waits until `ready` holds.
  ///
  /// @return how long it took since the start
  /// @throws LabException with the last lines of the log, when it died or the limit passed
  public Duration await(Duration limit, BooleanSupplier ready) throws LabException {
    while (true) {
      if (ready.getAsBoolean()) {
        return Duration.ofNanos(System.nanoTime() - startedNanos);
      }
      if (!process.isAlive()) {
        throw new LabException(name + " ended before it was ready" + lastLines());
      }
      if (System.nanoTime() - startedNanos > limit.toNanos()) {
        throw new LabException(
            name + " was not ready after " + limit.toSeconds() + " s" + lastLines());
      }
      pause();
    }
  }

  private String lastLines() {
    try {
      List<String> lines = Files.readAllLines(log);
      List<String> last = lines.subList(Math.max(0, lines.size() - SHOWN_LINES), lines.size());
      return last.isEmpty()
          ? "; its log " + log + " is empty"
          : "; the last lines of " + log + ":\n  " + String.join("\n  ", last);
    } catch (IOException unreadable) {
      return "; its log " + log + " can't be read";
    }
  }

  /// Whether the log holds the line the agent prints once it serves: `ready`, perhaps with a
  /// detail. Only lines from offset `from` on count: an earlier run wrote the others.
  boolean saidReady(long from) {
    try (Stream<String> lines = new String(tail(from), StandardCharsets.UTF_8).lines()) {
      return lines.anyMatch(line -> line.equals("ready") || line.startsWith("ready "));
    } catch (IOException notYetThere) {
      return false;
    }
  }

  private byte[] tail(long from) throws IOException {
    byte[] all = Files.readAllBytes(log);
    int start = (int) Math.min(from, all.length);
    return Arrays.copyOfRange(all, start, all.length);
  }

  static void pause() throws LabException {
    try {
      Thread.sleep(POLL);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new LabException("interrupted", interrupted);
    }
  }
}
