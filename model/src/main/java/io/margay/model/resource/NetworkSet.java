package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import java.util.Map;

/// Labelled prefixes of a namespace, found by rule selectors.
///
/// @param metadata identity and labels
/// @param spec what is wanted
/// @param status what others last said about it, kept as read
/// @param unknown top-level fields this version has no name for, kept for the round trip
public record NetworkSet(
    Metadata metadata,
    NetworkSetSpec spec,
    Map<String, Object> status,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown)
    implements Resource {

  public NetworkSet {
    metadata = Copies.required(metadata, "metadata");
    spec = spec == null ? NetworkSetSpec.EMPTY : spec;
    status = Copies.json(status);
    unknown = Copies.sorted(unknown);
  }

  public NetworkSet(Metadata metadata, NetworkSetSpec spec) {
    this(metadata, spec, Map.of(), Map.of());
  }

  @Override
  public Kind kind() {
    return Kind.NETWORK_SET;
  }

  @Override
  public NetworkSet withMetadata(Metadata newMetadata) {
    return new NetworkSet(newMetadata, spec, status, unknown);
  }

  /// This object with another spec.
  public NetworkSet withSpec(NetworkSetSpec newSpec) {
    return new NetworkSet(metadata, newSpec, status, unknown);
  }
}
