package io.margay.cli.lab;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/// One run of somebody else's tool, waited for. Never a shell line: arguments are passed as they
/// are.
///
/// @param argv program and arguments
/// @param environment added to this process's own
/// @param input what the tool reads on stdin
public record Command(List<String> argv, Map<String, String> environment, String input) {

  /// No tool of a lab takes longer; one that does is killed.
  static final Duration LIMIT = Duration.ofSeconds(60);

  public Command {
    argv = List.copyOf(argv);
    environment = Map.copyOf(environment);
  }

  public static Command of(String... argv) {
    return new Command(List.of(argv), Map.of(), "");
  }

  /// The command, run in a namespace by `ip netns exec`.
  public static Command in(String namespace, String... argv) {
    return in(namespace, List.of(argv));
  }

  public static Command in(String namespace, List<String> argv) {
    List<String> all = new ArrayList<>(List.of("ip", "netns", "exec", namespace));
    all.addAll(argv);
    return new Command(all, Map.of(), "");
  }

  public Command reading(String text) {
    return new Command(argv, environment, text);
  }

  public Command with(Map<String, String> variables) {
    return new Command(argv, variables, input);
  }

  /// How a run ended.
  public record Result(int status, String out, String err) {}

  /// Runs it; any exit status is a result.
  public Result run() throws LabException {
    try {
      ProcessBuilder builder = new ProcessBuilder(argv);
      builder.environment().putAll(environment);
      Process process = builder.start();
      StringBuilder err = new StringBuilder();
      Thread reader =
          Thread.ofPlatform().daemon().start(() -> err.append(readAll(process.getErrorStream())));
      Thread killer = Thread.ofPlatform().daemon().start(() -> killAtLimit(process));
      try (var stdin = process.getOutputStream()) {
        stdin.write(input.getBytes(StandardCharsets.UTF_8));
      } catch (IOException closedEarly) {
        // The tool ended without reading its input; its status says why.
        err.append("");
      }
      String out = readAll(process.getInputStream());
      int status = process.waitFor();
      killer.interrupt();
      reader.join();
      return new Result(status, out, err.toString());
    } catch (IOException notStarted) {
      throw new LabException(
          argv.getFirst()
              + " can't be started: "
              + notStarted.getMessage()
              + "; `./dev doctor` shows which package is missing",
          notStarted);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new LabException("interrupted while " + argv.getFirst() + " ran", interrupted);
    }
  }

  /// Runs it and returns what it printed.
  ///
  /// @throws LabException unless it exits with 0
  public String output() throws LabException {
    Result result = run();
    if (result.status() != 0) {
      String said = (result.err().isBlank() ? result.out() : result.err()).strip();
      throw new LabException(
          "`"
              + String.join(" ", argv)
              + "` failed with status "
              + result.status()
              + ": "
              + (said.length() > 600 ? said.substring(said.length() - 600) : said));
    }
    return result.out();
  }

  private static void killAtLimit(Process process) {
    try {
      if (!process.waitFor(LIMIT.toMillis(), TimeUnit.MILLISECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException ended) {
      Thread.currentThread().interrupt();
    }
  }

  private static String readAll(InputStream stream) {
    try (stream) {
      return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException killed) {
      return "";
    }
  }
}
