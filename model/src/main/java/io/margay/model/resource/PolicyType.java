package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonProperty;

/// A direction, seen from the endpoint.
public enum PolicyType {
  /// Towards the endpoint.
  @JsonProperty("Ingress")
  INGRESS,
  /// From the endpoint.
  @JsonProperty("Egress")
  EGRESS
}
