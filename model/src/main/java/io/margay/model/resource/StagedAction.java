package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonProperty;

/// What enforcing a staged policy would do.
public enum StagedAction {
  /// Create the policy, or replace it.
  @JsonProperty("Set")
  SET,
  /// Delete the policy.
  @JsonProperty("Delete")
  DELETE,
  /// Legacy; means nothing here.
  @JsonProperty("Learn")
  LEARN,
  /// Legacy; means nothing here.
  @JsonProperty("Ignore")
  IGNORE
}
