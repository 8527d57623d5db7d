package io.margay.bgp.speaker;

import io.margay.bgp.sim.VirtualTime;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.Random;

/// The path between two simulated nodes. While it is cut, TCP holds what it has to say and says it
/// later; only resets and connection attempts are lost.
final class SimLink {

  private static final long MIN_DELAY_NANOS = 50_000;
  private static final long MAX_DELAY_NANOS = 40_000_000;

  private final VirtualTime time;
  private final Random random;
  private final Queue<Runnable> held = new ArrayDeque<>();
  private boolean cut;

  SimLink(VirtualTime time, Random random) {
    this.time = time;
    this.random = random;
  }

  boolean isCut() {
    return cut;
  }

  void cut() {
    cut = true;
  }

  void heal() {
    cut = false;
    for (Runnable each = held.poll(); each != null; each = held.poll()) {
      each.run();
    }
  }

  long delayNanos() {
    return random.nextLong(MIN_DELAY_NANOS, MAX_DELAY_NANOS);
  }

  /// @param begin puts something on the way
  void transmit(Runnable begin) {
    if (cut) {
      held.add(begin);
    } else {
      begin.run();
    }
  }

  VirtualTime time() {
    return time;
  }

  Random random() {
    return random;
  }
}
