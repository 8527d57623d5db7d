package io.margay.cni.protocol;

import java.util.Optional;

/// The environment variables a request carries.
public enum CniVariable {
  COMMAND(1, "CNI_COMMAND"),
  CONTAINERID(2, "CNI_CONTAINERID"),
  NETNS(3, "CNI_NETNS"),
  IFNAME(4, "CNI_IFNAME"),
  ARGS(5, "CNI_ARGS"),
  PATH(6, "CNI_PATH"),
  NETNS_OVERRIDE(7, "CNI_NETNS_OVERRIDE"),
  TRACEPARENT(8, "TRACEPARENT"),
  TRACESTATE(9, "TRACESTATE"),
  BAGGAGE(10, "BAGGAGE");

  private final int fieldType;
  private final String variable;

  CniVariable(int fieldType, String variable) {
    this.fieldType = fieldType;
    this.variable = variable;
  }

  /// Its name in the environment.
  public String variable() {
    return variable;
  }

  /// Its field type on the wire.
  int fieldType() {
    return fieldType;
  }

  static Optional<CniVariable> ofFieldType(int type) {
    for (CniVariable variable : values()) {
      if (variable.fieldType == type) {
        return Optional.of(variable);
      }
    }
    return Optional.empty();
  }
}
