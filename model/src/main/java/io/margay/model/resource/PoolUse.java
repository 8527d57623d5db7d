package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonProperty;

/// What a pool's addresses may be used for.
public enum PoolUse {
  /// Pods.
  @JsonProperty("Workload")
  WORKLOAD,
  /// Tunnel devices of nodes.
  @JsonProperty("Tunnel")
  TUNNEL,
  /// Services of type LoadBalancer.
  @JsonProperty("LoadBalancer")
  LOAD_BALANCER
}
