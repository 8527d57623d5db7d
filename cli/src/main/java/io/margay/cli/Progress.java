package io.margay.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/// How far long work has come: one line on a terminal's standard error, written over and over and
/// wiped when the work ends. Says nothing where nobody watches, so that logs and pipes stay clean.
public final class Progress implements AutoCloseable {

  /// A person reads no faster; a slow terminal is not the work's pace.
  static final long INTERVAL_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  private static final Path STANDARD_ERROR = Path.of("/proc/self/fd/2");
  private static final String WIPE = "\r\u001b[K";

  private final PrintWriter err;
  private final boolean isWatched;
  private final LongSupplier nanos;
  private long lastShown;
  private boolean isShown;

  /// @param nanos a clock as `System.nanoTime`
  Progress(PrintWriter err, boolean isWatched, LongSupplier nanos) {
    this.err = err;
    this.isWatched = isWatched;
    this.nanos = nanos;
    this.lastShown = nanos.getAsLong() - INTERVAL_NANOS;
  }

  /// Progress on `err` if this process's standard error is a terminal.
  public static Progress on(PrintWriter err) {
    return new Progress(err, isTerminal(), System::nanoTime);
  }

  private static boolean isTerminal() {
    try {
      String target = Files.readSymbolicLink(STANDARD_ERROR).toString();
      return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty");
    } catch (IOException unknown) {
      return false;
    }
  }

  /// The work has come to `done` things of what is being done.
  public void at(String doing, long done) {
    show(doing, done, -1);
  }

  /// The work has come to `done` of `total` things.
  public void at(String doing, long done, long total) {
    show(doing, done, total);
  }

  /// The work stands still, for a reason that is worth a line.
  public void say(String what) {
    if (isWatched) {
      write(what);
    }
  }

  private void show(String doing, long done, long total) {
    if (!isWatched) {
      return;
    }
    long now = nanos.getAsLong();
    if (now - lastShown < INTERVAL_NANOS) {
      return;
    }
    lastShown = now;
    String all = total > 0 ? " of " + count(total) + " (" + done * 100 / total + " %)" : "";
    write(doing + " " + count(done) + all);
  }

  private void write(String line) {
    isShown = true;
    err.print(WIPE + line);
    err.flush();
  }

  private static String count(long number) {
    return String.format(Locale.ROOT, "%,d", number);
  }

  @Override
  public void close() {
    wipe();
  }

  /// Wipes the line, so that what is printed next stands alone.
  public void wipe() {
    if (isShown) {
      isShown = false;
      err.print(WIPE);
      err.flush();
    }
  }
}
