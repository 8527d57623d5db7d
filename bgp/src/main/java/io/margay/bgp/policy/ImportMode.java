package io.margay.bgp.policy;

/// What becomes of a received route that no filter decided on.
public enum ImportMode {
  /// Considered.
  ACCEPT,
  /// Not considered.
  REJECT,
  /// Nothing was said: an internal peer is trusted; an external one only if it has filters (RFC
  /// 8212 §3).
  UNSTATED
}
