package io.margay.it;

import io.margay.cli.lab.LabException;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.Map;

/// The time of day of one process (libfaketime): it can be set while the process runs, as an
/// administrator sets a machine's. What only passes, CLOCK_MONOTONIC, is left alone.
public final class MovableClock {

  /// In the directory of whatever architecture this is.
  private static final String LIBRARY = "faketime/libfaketimeMT.so.1";

  private final Path file;

  /// @param file says how far the clock is off
  public MovableClock(Path file) throws LabException {
    this.file = file;
    set(Duration.ZERO);
  }

  /// What a process that goes by this clock has in its environment.
  public Map<String, String> environment() throws LabException {
    return Map.of(
        "LD_PRELOAD",
        library().toString(),
        "FAKETIME_TIMESTAMP_FILE",
        file.toString(),
        "FAKETIME_NO_CACHE",
        "1",
        "FAKETIME_DONT_FAKE_MONOTONIC",
        "1",
        "NO_FAKE_STAT",
        "1");
  }

  private static Path library() throws LabException {
    try (DirectoryStream<Path> directories =
        Files.newDirectoryStream(Path.of("/usr/lib"), "*-*-*")) {
      for (Path directory : directories) {
        if (Files.exists(directory.resolve(LIBRARY))) {
          return directory.resolve(LIBRARY);
        }
      }
    } catch (IOException failed) {
      throw new LabException("can't look for libfaketime: " + failed, failed);
    }
    throw new LabException("libfaketime is not installed; see ./dev doctor");
  }

  /// Sets it.
  ///
  /// @param ahead of the true time
  public void set(Duration ahead) throws LabException {
    Path next = file.resolveSibling(file.getFileName() + ".next");
    try {
      Files.writeString(next, "%+d\n".formatted(ahead.toSeconds()));
      Files.move(next, file, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException failed) {
      throw new LabException("can't set the clock " + file + ": " + failed, failed);
    }
  }
}
