package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonProperty;

/// What a matching rule does.
public enum Action {
  /// Accept; final.
  @JsonProperty("Allow")
  ALLOW,
  /// Drop; final.
  @JsonProperty("Deny")
  DENY,
  /// Log and go on with the next rule.
  @JsonProperty("Log")
  LOG,
  /// Go on with the next tier, or with the profiles after the last one.
  @JsonProperty("Pass")
  PASS
}
