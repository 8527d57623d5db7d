package io.margay.bgp.fsm;

/// The timers of a connection (RFC 4271 §8, §10).
public enum TimerKind {
  /// Until the next connection attempt.
  CONNECT_RETRY,
  /// Until the peer counts as dead.
  HOLD,
  /// Until our next sign of life.
  KEEPALIVE,
  /// Until a peer that accepts nothing we send counts as dead (RFC 9687 §3).
  SEND_HOLD
}
