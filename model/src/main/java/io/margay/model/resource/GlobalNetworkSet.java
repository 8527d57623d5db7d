package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import java.util.Map;

/// Labelled prefixes outside every namespace, found by rule selectors.
///
/// @param metadata identity and labels
/// @param spec what is wanted
/// @param status what others last said about it, kept as read
/// @param unknown top-level fields this version has no name for, kept for the round trip
public record GlobalNetworkSet(
    Metadata metadata,
    NetworkSetSpec spec,
    Map<String, Object> status,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown)
    implements Resource {

  public GlobalNetworkSet {
    metadata = Copies.required(metadata, "metadata");
    spec = spec == null ? NetworkSetSpec.EMPTY : spec;
    status = Copies.json(status);
    unknown = Copies.sorted(unknown);
  }

  public GlobalNetworkSet(Metadata metadata, NetworkSetSpec spec) {
    this(metadata, spec, Map.of(), Map.of());
  }

  @Override
  public Kind kind() {
    return Kind.GLOBAL_NETWORK_SET;
  }

  @Override
  public GlobalNetworkSet withMetadata(Metadata newMetadata) {
    return new GlobalNetworkSet(newMetadata, spec, status, unknown);
  }

  /// This object with another spec.
  public GlobalNetworkSet withSpec(NetworkSetSpec newSpec) {
    return new GlobalNetworkSet(metadata, newSpec, status, unknown);
  }
}
