package io.margay.agent.bgp;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/// For speakers on 127/8.
final class Loopback {

  private static final Duration DEADLINE = Duration.ofSeconds(45);
  private static final Duration PAUSE = Duration.ofMillis(20);

  private Loopback() {}

  static int freePort() {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"))) {
      return socket.getLocalPort();
    } catch (IOException none) {
      throw new AssertionError("no free port", none);
    }
  }

  /// Waits with a deadline generous enough for a loaded machine.
  static void until(String what, Supplier<?> evidence, BooleanSupplier condition) {
    long end = System.nanoTime() + DEADLINE.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > end) {
        throw new AssertionError("never came true: " + what + "; last seen: " + evidence.get());
      }
      try {
        Thread.sleep(PAUSE);
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
        throw new AssertionError("interrupted while waiting for " + what, interrupted);
      }
    }
  }
}
