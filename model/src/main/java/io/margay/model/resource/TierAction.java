package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonProperty;

/// What a tier does with a packet that none of its rules matched.
public enum TierAction {
  /// Drop.
  @JsonProperty("Deny")
  DENY,
  /// Go on with the next tier.
  @JsonProperty("Pass")
  PASS
}
