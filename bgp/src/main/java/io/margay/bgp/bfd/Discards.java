package io.margay.bgp.bfd;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;

/// Counts packets that are dropped, and logs so few of them that a flood fills no log. Written by
/// the loop; the count may be read by any thread.
final class Discards {

  private static final Duration BETWEEN_LINES = Duration.ofSeconds(10);

  private final AtomicLong count = new AtomicLong();
  private long unlogged;
  private boolean anyLogged;
  private long loggedAt;

  void add(InetSocketAddress sender, String reason) {
    count.lazySet(count.getPlain() + 1);
    long now = System.nanoTime();
    if (anyLogged && now - loggedAt < BETWEEN_LINES.toNanos()) {
      unlogged++;
      return;
    }
    BfdLog.discarded(sender, reason, unlogged);
    anyLogged = true;
    loggedAt = now;
    unlogged = 0;
  }

  long count() {
    return count.get();
  }
}
