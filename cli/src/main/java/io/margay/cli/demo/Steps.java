package io.margay.cli.demo;

import io.margay.cli.lab.LabException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.Locale;

/// The demo's voice: a numbered title as each step begins, what it found, and how long it took. No
/// line is wider than a hundred characters.
final class Steps {

  private static final int WIDTH = 100;

  private final PrintStream out;
  private final long started = System.nanoTime();
  private int number;

  Steps(PrintStream out) {
    this.out = out;
  }

  /// What a step does; throws when something was not as expected.
  interface Body {
    void run() throws LabException, DemoException;
  }

  void step(String title, Body body) throws LabException, DemoException {
    number++;
    out.println("%2d. %s".formatted(number, title));
    out.flush();
    long begun = System.nanoTime();
    body.run();
    out.println("    held, %s".formatted(seconds(System.nanoTime() - begun)));
  }

  /// A line of detail; longer ones are broken.
  void say(String line) {
    for (String part : line.lines().toList()) {
      String rest = part;
      while (rest.length() > WIDTH - 4) {
        out.println("    " + rest.substring(0, WIDTH - 4));
        rest = rest.substring(WIDTH - 4);
      }
      out.println("    " + rest);
    }
    out.flush();
  }

  /// A matrix: it uses the whole width.
  void show(String text) {
    out.print(text);
    out.flush();
  }

  int count() {
    return number;
  }

  Duration elapsed() {
    return Duration.ofNanos(System.nanoTime() - started);
  }

  static String seconds(long nanos) {
    return String.format(Locale.ROOT, "%.1f s", nanos / 1e9);
  }

  static String milliseconds(Duration duration) {
    return String.format(Locale.ROOT, "%.1f ms", duration.toNanos() / 1e6);
  }
}
