package io.margay.bgp.policy;

/// What a peer is told of the routes that no filter decided on.
public enum ExportMode {
  /// Every chosen route.
  ALL,
  /// Only what we originate: such a peer never reaches a third through us.
  OWN,
  /// Nothing.
  NONE,
  /// Nothing was said: an internal peer is told all; an external one our own routes if it has
  /// filters, and nothing if it has none (RFC 8212 §3).
  UNSTATED
}
