package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonProperty;

/// When packets between nodes are wrapped.
public enum EncapsulationMode {
  /// Routed as they are: the only mode served here.
  @JsonProperty("Never")
  NEVER,
  /// Always wrapped.
  @JsonProperty("Always")
  ALWAYS,
  /// Wrapped only when the other node is not on the same subnet.
  @JsonProperty("CrossSubnet")
  CROSS_SUBNET
}
