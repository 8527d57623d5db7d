package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonProperty;

/// What a BGP filter's rule does with a route it matches.
public enum FilterAction {
  /// Take or send it.
  @JsonProperty("Accept")
  ACCEPT,
  /// Neither.
  @JsonProperty("Reject")
  REJECT
}
