package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import java.util.Map;

/// An interface of a node itself, to be policed.
///
/// @param metadata identity and labels
/// @param spec what is wanted
/// @param status what others last said about it, kept as read
/// @param unknown top-level fields this version has no name for, kept for the round trip
public record HostEndpoint(
    Metadata metadata,
    HostEndpointSpec spec,
    Map<String, Object> status,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown)
    implements Resource {

  public HostEndpoint {
    metadata = Copies.required(metadata, "metadata");
    spec = spec == null ? HostEndpointSpec.EMPTY : spec;
    status = Copies.json(status);
    unknown = Copies.sorted(unknown);
  }

  public HostEndpoint(Metadata metadata, HostEndpointSpec spec) {
    this(metadata, spec, Map.of(), Map.of());
  }

  @Override
  public Kind kind() {
    return Kind.HOST_ENDPOINT;
  }

  @Override
  public HostEndpoint withMetadata(Metadata newMetadata) {
    return new HostEndpoint(newMetadata, spec, status, unknown);
  }

  /// This object with another spec.
  public HostEndpoint withSpec(HostEndpointSpec newSpec) {
    return new HostEndpoint(metadata, newSpec, status, unknown);
  }
}
