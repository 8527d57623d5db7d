package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonProperty;

/// How a route's prefix stands to a rule's `cidr`.
public enum FilterMatchOperator {
  /// The same.
  @JsonProperty("Equal")
  EQUAL,
  /// Another.
  @JsonProperty("NotEqual")
  NOT_EQUAL,
  /// Within it, or the same.
  @JsonProperty("In")
  IN,
  /// Not within it.
  @JsonProperty("NotIn")
  NOT_IN
}
