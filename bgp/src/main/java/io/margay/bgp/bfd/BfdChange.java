package io.margay.bgp.bfd;

/// What happened to a session, as far as its user cares (RFC 5882 §4).
public sealed interface BfdChange {

  record Up() implements BfdChange {}

  /// The path failed.
  ///
  /// @param peerIndependent the C bit of the peer: its BFD does not share the fate of its control
  ///   plane, so that a failure means the path, never only a restart (RFC 5882 §4.3)
  record Down(BfdDiagnostic diagnostic, boolean peerIndependent) implements BfdChange {}

  /// The peer's operator took the session down: no failure (RFC 5882 §4.2).
  record AdminDown() implements BfdChange {}
}
