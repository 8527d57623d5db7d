package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonProperty;

/// The next hop of routes sent to a peer.
public enum NextHopMode {
  /// Self to eBGP peers, kept to iBGP peers.
  @JsonProperty("Auto")
  AUTO,
  /// This node's address.
  @JsonProperty("Self")
  SELF,
  /// As received.
  @JsonProperty("Keep")
  KEEP
}
