package io.margay.cli.datastore;

import io.margay.cli.resource.DatastoreOptions;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.InstantSource;
import java.util.function.BooleanSupplier;
import picocli.CommandLine;

/// Runs `margay datastore …` in this process.
final class DatastoreCommandsFixture {

  @CommandLine.Command(name = "margay")
  private static final class Margay {}

  static final Instant NOW = Instant.parse("2026-01-31T12:00:00.5Z");

  /// What a command left behind.
  record Result(int code, String out, String err) {}

  private final DatastoreOptions.Opener opener;
  private BooleanSupplier stop = () -> false;
  private byte[] standardInput = {};

  DatastoreCommandsFixture(DatastoreOptions.Opener opener) {
    this.opener = opener;
  }

  /// What ends long writing.
  void stopWhen(BooleanSupplier newStop) {
    stop = newStop;
  }

  void standardInput(byte[] octets) {
    standardInput = octets;
  }

  Result run(String... arguments) {
    CommandLine line = new CommandLine(new Margay());
    ByteArrayOutputStream raw = new ByteArrayOutputStream();
    DatastoreCommands.register(
        line,
        new DatastoreCommands.Surroundings(
            opener,
            InstantSource.fixed(NOW),
            new ByteArrayInputStream(standardInput),
            raw,
            () -> stop));
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    line.setOut(new PrintWriter(out));
    line.setErr(new PrintWriter(err));
    int code = line.execute(arguments);
    return new Result(code, out + raw.toString(StandardCharsets.UTF_8), err.toString());
  }
}
