package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import java.util.Map;

/// A policy for endpoints of every namespace, and for host endpoints.
///
/// @param metadata identity and labels
/// @param spec what is wanted
/// @param status what others last said about it, kept as read
/// @param unknown top-level fields this version has no name for, kept for the round trip
public record GlobalNetworkPolicy(
    Metadata metadata,
    PolicySpec spec,
    Map<String, Object> status,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown)
    implements Resource {

  public GlobalNetworkPolicy {
    metadata = Copies.required(metadata, "metadata");
    spec = spec == null ? PolicySpec.EMPTY : spec;
    status = Copies.json(status);
    unknown = Copies.sorted(unknown);
  }

  public GlobalNetworkPolicy(Metadata metadata, PolicySpec spec) {
    this(metadata, spec, Map.of(), Map.of());
  }

  @Override
  public Kind kind() {
    return Kind.GLOBAL_NETWORK_POLICY;
  }

  @Override
  public GlobalNetworkPolicy withMetadata(Metadata newMetadata) {
    return new GlobalNetworkPolicy(newMetadata, spec, status, unknown);
  }

  /// This object with another spec.
  public GlobalNetworkPolicy withSpec(PolicySpec newSpec) {
    return new GlobalNetworkPolicy(metadata, newSpec, status, unknown);
  }
}
