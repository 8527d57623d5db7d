package io.margay.bgp.policy;

/// What a peer is to us.
public enum PeerKind {
  /// In another AS.
  EBGP,
  /// In our AS, and not a client of ours.
  IBGP,
  /// In our AS, and we reflect to it (RFC 4456 §5).
  CLIENT;

  /// Whether the peer is in our AS.
  public boolean isInternal() {
    return switch (this) {
      case EBGP -> false;
      case IBGP, CLIENT -> true;
    };
  }
}
