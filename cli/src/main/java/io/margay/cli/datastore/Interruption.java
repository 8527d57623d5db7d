package io.margay.cli.datastore;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/// Lets work end between two steps, and tell how far it came, when a signal ends the process.
final class Interruption implements AutoCloseable, BooleanSupplier {

  /// The longest the process's end waits for the step under way: a transaction's limit and more.
  private static final long GRACE_SECONDS = 10;

  private final CountDownLatch asked = new CountDownLatch(1);
  private final CountDownLatch ended = new CountDownLatch(1);
  private final Thread hook = Thread.ofPlatform().name("interruption").unstarted(this::endInOrder);

  Interruption() {
    Runtime.getRuntime().addShutdownHook(hook);
  }

  private void endInOrder() {
    asked.countDown();
    try {
      if (!ended.await(GRACE_SECONDS, TimeUnit.SECONDS)) {
        return;
      }
    } catch (InterruptedException stop) {
      Thread.currentThread().interrupt();
    }
  }

  /// Whether an end is wanted.
  @Override
  public boolean getAsBoolean() {
    return asked.getCount() == 0;
  }

  /// The work is over, and what was to be said of it is said.
  @Override
  public void close() {
    ended.countDown();
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException alreadyEnding) {
      // The hook runs, and ends by the count above.
    }
  }
}
