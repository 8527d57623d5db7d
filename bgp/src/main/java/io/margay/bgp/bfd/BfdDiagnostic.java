package io.margay.bgp.bfd;

/// Why a session last left the state Up (RFC 5880 §4.1, in the order of the wire).
public enum BfdDiagnostic {
  NONE(0, "none"),
  DETECTION_TIME_EXPIRED(1, "control detection time expired"),
  ECHO_FAILED(2, "echo function failed"),
  NEIGHBOR_SIGNALED_DOWN(3, "neighbor signaled session down"),
  FORWARDING_PLANE_RESET(4, "forwarding plane reset"),
  PATH_DOWN(5, "path down"),
  CONCATENATED_PATH_DOWN(6, "concatenated path down"),
  ADMINISTRATIVELY_DOWN(7, "administratively down"),
  REVERSE_CONCATENATED_PATH_DOWN(8, "reverse concatenated path down"),
  /// A code without a meaning yet: "9-31 - Reserved for future use".
  RESERVED(9, "reserved");

  private static final BfdDiagnostic[] BY_WIRE = values();

  private final int wireValue;
  private final String text;

  BfdDiagnostic(int wireValue, String text) {
    this.wireValue = wireValue;
    this.text = text;
  }

  /// @param wire 0 to 31
  static BfdDiagnostic ofWire(int wire) {
    return wire < RESERVED.wireValue ? BY_WIRE[wire] : RESERVED;
  }

  int wireValue() {
    return wireValue;
  }

  @Override
  public String toString() {
    return text;
  }
}
