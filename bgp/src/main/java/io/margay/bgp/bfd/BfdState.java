package io.margay.bgp.bfd;

/// The state of a session (RFC 5880 §4.1, in the order of the wire).
public enum BfdState {
  /// Held down by an operator or by the end of its program: not a failure.
  ADMIN_DOWN(0),
  DOWN(1),
  /// The peer is heard; whether it hears us is not known yet.
  INIT(2),
  UP(3);

  private static final BfdState[] BY_WIRE = values();

  private final int wireValue;

  BfdState(int wireValue) {
    this.wireValue = wireValue;
  }

  /// @param wire 0 to 3
  static BfdState ofWire(int wire) {
    return BY_WIRE[wire];
  }

  int wireValue() {
    return wireValue;
  }
}
