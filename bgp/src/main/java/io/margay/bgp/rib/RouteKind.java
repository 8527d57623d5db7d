package io.margay.bgp.rib;

/// Which routes somebody wants to see.
public enum RouteKind {
  /// Everything known: of a peer, what it announced, before policy.
  RECEIVED,
  /// What import policy accepts.
  ACCEPTED,
  /// What it does not.
  REJECTED,
  /// The winners: of a peer, those that came from it.
  BEST,
  /// What a peer was told.
  ADVERTISED
}
