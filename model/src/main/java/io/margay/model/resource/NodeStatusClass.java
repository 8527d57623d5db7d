package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonProperty;

/// A part of a node's report.
public enum NodeStatusClass {
  /// The BGP speaker itself.
  @JsonProperty("Agent")
  AGENT,
  /// Its sessions.
  @JsonProperty("BGP")
  BGP,
  /// Its routes.
  @JsonProperty("Routes")
  ROUTES
}
