package io.margay.it;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/// The built distribution, used as a person would: commands, exit codes, output.
public final class Rack {

  public static final Path ROOT =
      Path.of(System.getProperty("margay.root", "..")).toAbsolutePath().normalize();
  public static final Path MARGAY = ROOT.resolve("dist/bin/margay");

  private Rack() {}

  /// How a command ended.
  public record Run(int exitCode, String out, String err) {}

  public static Run margay(String... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(MARGAY.toString()));
    command.addAll(List.of(arguments));
    return run(Map.of(), "", command);
  }

  public static Run run(Map<String, String> environment, String stdin, List<String> command)
      throws IOException, InterruptedException {
    if (!Files.isExecutable(MARGAY)) {
      throw new IllegalStateException(MARGAY + " is missing; run ./dev build first");
    }
    Path out = Files.createTempFile("rack", ".out");
    Path err = Files.createTempFile("rack", ".err");
    try {
      ProcessBuilder builder = new ProcessBuilder(command);
      builder.environment().putAll(environment);
      Process process = builder.redirectOutput(out.toFile()).redirectError(err.toFile()).start();
      process.getOutputStream().write(stdin.getBytes(StandardCharsets.UTF_8));
      process.getOutputStream().close();
      if (!process.waitFor(8, TimeUnit.MINUTES)) {
        process.destroyForcibly().waitFor();
        throw new IllegalStateException(
            command + " did not end in 8 minutes: " + Files.readString(err));
      }
      return new Run(process.exitValue(), Files.readString(out), Files.readString(err));
    } finally {
      Files.delete(out);
      Files.delete(err);
    }
  }
}
