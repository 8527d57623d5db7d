package io.margay.bgp.speaker;

/// Whether several paths of one prefix are exchanged (RFC 7911), as far as the peer agrees.
public enum AddPathMode {
  NONE,
  /// We take several.
  RECEIVE,
  /// We announce several.
  SEND,
  BOTH;

  public boolean receives() {
    return this == RECEIVE || this == BOTH;
  }

  public boolean sends() {
    return this == SEND || this == BOTH;
  }
}
