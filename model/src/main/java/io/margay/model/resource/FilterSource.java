package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonProperty;

/// Which routes a BGP filter's rule is for.
public enum FilterSource {
  /// Those learned from peers, not the node's own.
  @JsonProperty("RemotePeers")
  REMOTE_PEERS
}
