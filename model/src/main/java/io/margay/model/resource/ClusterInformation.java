package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import java.util.Map;

/// What the cluster says about itself; there is one, named `default`.
///
/// @param metadata identity and labels
/// @param spec what is wanted
/// @param status what others last said about it, kept as read
/// @param unknown top-level fields this version has no name for, kept for the round trip
public record ClusterInformation(
    Metadata metadata,
    ClusterInformationSpec spec,
    Map<String, Object> status,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown)
    implements Resource {

  public ClusterInformation {
    metadata = Copies.required(metadata, "metadata");
    spec = spec == null ? ClusterInformationSpec.EMPTY : spec;
    status = Copies.json(status);
    unknown = Copies.sorted(unknown);
  }

  public ClusterInformation(Metadata metadata, ClusterInformationSpec spec) {
    this(metadata, spec, Map.of(), Map.of());
  }

  @Override
  public Kind kind() {
    return Kind.CLUSTER_INFORMATION;
  }

  @Override
  public ClusterInformation withMetadata(Metadata newMetadata) {
    return new ClusterInformation(newMetadata, spec, status, unknown);
  }

  /// This object with another spec.
  public ClusterInformation withSpec(ClusterInformationSpec newSpec) {
    return new ClusterInformation(metadata, newSpec, status, unknown);
  }
}
