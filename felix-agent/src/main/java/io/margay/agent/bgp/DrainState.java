package io.margay.agent.bgp;

/// How far a node is out of the way of traffic.
public enum DrainState {
  /// Nobody wants that.
  NONE,
  /// What peers are told is marked GRACEFUL_SHUTDOWN, so that they take other ways (RFC 8326).
  MARKED,
  /// Routes are being withdrawn.
  WITHDRAWING,
  /// No peer has a route of this node.
  DRAINED
}
