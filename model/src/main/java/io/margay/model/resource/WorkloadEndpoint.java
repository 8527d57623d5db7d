package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import java.util.Map;

/// One attachment of a pod to the network.
///
/// @param metadata identity and labels
/// @param spec what is wanted
/// @param status what others last said about it, kept as read
/// @param unknown top-level fields this version has no name for, kept for the round trip
public record WorkloadEndpoint(
    Metadata metadata,
    WorkloadEndpointSpec spec,
    Map<String, Object> status,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown)
    implements Resource {

  public WorkloadEndpoint {
    metadata = Copies.required(metadata, "metadata");
    spec = spec == null ? WorkloadEndpointSpec.EMPTY : spec;
    status = Copies.json(status);
    unknown = Copies.sorted(unknown);
  }

  public WorkloadEndpoint(Metadata metadata, WorkloadEndpointSpec spec) {
    this(metadata, spec, Map.of(), Map.of());
  }

  @Override
  public Kind kind() {
    return Kind.WORKLOAD_ENDPOINT;
  }

  @Override
  public WorkloadEndpoint withMetadata(Metadata newMetadata) {
    return new WorkloadEndpoint(newMetadata, spec, status, unknown);
  }

  /// This object with another spec.
  public WorkloadEndpoint withSpec(WorkloadEndpointSpec newSpec) {
    return new WorkloadEndpoint(metadata, newSpec, status, unknown);
  }
}
