package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonProperty;

/// Which sessions a BGP filter's rule is for.
public enum FilterPeerType {
  /// Those with another AS.
  @JsonProperty("eBGP")
  EBGP,
  /// Those within the AS.
  @JsonProperty("iBGP")
  IBGP
}
