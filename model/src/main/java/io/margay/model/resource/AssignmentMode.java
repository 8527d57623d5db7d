package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonProperty;

/// Whether a pool serves requests that do not name it.
public enum AssignmentMode {
  /// It does.
  @JsonProperty("Automatic")
  AUTOMATIC,
  /// Only when named.
  @JsonProperty("Manual")
  MANUAL
}
