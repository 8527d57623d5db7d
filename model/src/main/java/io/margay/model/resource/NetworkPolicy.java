package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import java.util.Map;

/// A policy for workload endpoints of its own namespace.
///
/// @param metadata identity and labels
/// @param spec what is wanted
/// @param status what others last said about it, kept as read
/// @param unknown top-level fields this version has no name for, kept for the round trip
public record NetworkPolicy(
    Metadata metadata,
    PolicySpec spec,
    Map<String, Object> status,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown)
    implements Resource {

  public NetworkPolicy {
    metadata = Copies.required(metadata, "metadata");
    spec = spec == null ? PolicySpec.EMPTY : spec;
    status = Copies.json(status);
    unknown = Copies.sorted(unknown);
  }

  public NetworkPolicy(Metadata metadata, PolicySpec spec) {
    this(metadata, spec, Map.of(), Map.of());
  }

  @Override
  public Kind kind() {
    return Kind.NETWORK_POLICY;
  }

  @Override
  public NetworkPolicy withMetadata(Metadata newMetadata) {
    return new NetworkPolicy(newMetadata, spec, status, unknown);
  }

  /// This object with another spec.
  public NetworkPolicy withSpec(PolicySpec newSpec) {
    return new NetworkPolicy(metadata, newSpec, status, unknown);
  }
}
