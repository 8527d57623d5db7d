package io.margay.bgp.speaker;

import java.time.Duration;

/// Keeps what peers can cause at will from filling the log: one line, then none for a while. Owned
/// by one loop.
final class LogPause {

  private final Duration pause;
  private boolean hasLogged;
  private long loggedNanos;

  LogPause(Duration pause) {
    this.pause = pause;
  }

  /// Whether a line may be written now; if so, it counts as written.
  ///
  /// @param nanos of a clock that nobody sets ([SessionClock#nanos])
  boolean isOver(long nanos) {
    if (hasLogged && nanos - loggedNanos <= pause.toNanos()) {
      return false;
    }
    hasLogged = true;
    loggedNanos = nanos;
    return true;
  }
}
