package io.margay.it.bgp;

import java.time.Duration;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/// Waits for a condition of another process. The deadline is generous: it bounds a failure, it
/// measures nothing.
final class Waiting {

  static final Duration PATIENCE = Duration.ofSeconds(45);
  private static final Duration FAST_POLL = Duration.ofMillis(10);
  private static final Duration POLL = Duration.ofMillis(100);

  private Waiting() {}

  /// `state` is called once more for the message when the condition never held.
  static void until(String what, Supplier<String> state, BooleanSupplier holds) {
    within(PATIENCE, what, state, holds);
  }

  static void within(
      Duration patience, String what, Supplier<String> state, BooleanSupplier holds) {
    long deadline = System.nanoTime() + patience.toNanos();
    while (!holds.getAsBoolean()) {
      if (System.nanoTime() - deadline > 0) {
        throw new AssertionError(what + " did not happen in " + patience + ":\n" + state.get());
      }
      pause(POLL);
    }
  }

  /// How long it took from now, asked for as often as the answers come.
  static Duration measure(String what, Supplier<String> state, BooleanSupplier holds) {
    long start = System.nanoTime();
    while (!holds.getAsBoolean()) {
      if (System.nanoTime() - start > PATIENCE.toNanos()) {
        throw new AssertionError(what + " did not happen in " + PATIENCE + ":\n" + state.get());
      }
      pause(FAST_POLL);
    }
    return Duration.ofNanos(System.nanoTime() - start);
  }

  /// Asserts that the condition never holds for as long as `span`: what a negative control needs.
  static void never(Duration span, String what, Supplier<String> state, BooleanSupplier holds) {
    long end = System.nanoTime() + span.toNanos();
    while (System.nanoTime() - end < 0) {
      if (holds.getAsBoolean()) {
        throw new AssertionError(what + " happened although it must not:\n" + state.get());
      }
      pause(POLL);
    }
  }

  static void pause(Duration span) {
    try {
      Thread.sleep(span.toMillis());
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new AssertionError(interrupted);
    }
  }
}
