package io.margay.cni.client;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/// The C client, compiled for a test, and a run of it.
final class ClientBinary {

  private static final long DEADLINE_SECONDS = 60;

  private final Path binary;

  private ClientBinary(Path binary) {
    this.binary = binary;
  }

  /// Compiles the sources of this module with gcc.
  static ClientBinary compile(Path directory, String... options) throws Exception {
    Path sources = sources();
    Path binary = directory.resolve("margay-cni");
    List<String> command =
        new ArrayList<>(
            List.of("gcc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-o", binary.toString()));
    command.addAll(List.of(options));
    for (String file : List.of("margay-cni.c", "client.c", "agent.c", "conf.c")) {
      command.add(sources.resolve(file).toString());
    }
    Process gcc = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(gcc.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (gcc.waitFor() != 0) {
      throw new AssertionError(command + " failed: " + said);
    }
    return new ClientBinary(binary);
  }

  private static Path sources() {
    String root = System.getProperty("margay.root");
    Path module = root == null ? Path.of("") : Path.of(root, "cni");
    return module.toAbsolutePath().resolve("src/main/c");
  }

  Path path() {
    return binary;
  }

  /// What a run printed and how it ended.
  record Run(int exitCode, String stdout, String stderr) {}

  Run run(Map<String, String> environment, String stdin) throws Exception {
    return finish(start(environment, stdin.getBytes(StandardCharsets.UTF_8)));
  }

  Run run(Map<String, String> environment, byte[] stdin) throws Exception {
    return finish(start(environment, stdin));
  }

  /// Starts it with nothing but `environment`.
  Process start(Map<String, String> environment, byte[] stdin) throws IOException {
    return start(List.of(binary.toString()), environment, stdin);
  }

  static Process start(List<String> command, Map<String, String> environment, byte[] stdin)
      throws IOException {
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().clear();
    builder.environment().putAll(environment);
    Process process = builder.start();
    try (OutputStream input = process.getOutputStream()) {
      input.write(stdin);
    } catch (IOException stoppedReading) {
      // A client that refuses its input closes it early; what it says about that is the test's
      // matter.
    }
    return process;
  }

  static Run finish(Process process) throws Exception {
    CompletableFuture<String> stderr =
        CompletableFuture.supplyAsync(() -> read(process.getErrorStream()));
    String stdout = read(process.getInputStream());
    if (!process.waitFor(DEADLINE_SECONDS, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new AssertionError("the client did not end");
    }
    return new Run(process.exitValue(), stdout, stderr.join());
  }

  private static String read(InputStream stream) {
    try (stream) {
      return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException broken) {
      throw new java.io.UncheckedIOException(broken);
    }
  }

  /// A second name for the binary.
  ClientBinary as(String name) throws IOException {
    return new ClientBinary(Files.createLink(binary.resolveSibling(name), binary));
  }
}
