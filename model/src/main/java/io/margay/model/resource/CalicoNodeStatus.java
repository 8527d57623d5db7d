package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.Map;

/// Wishes for a report on a node, and the report.
///
/// @param metadata identity and labels
/// @param spec what is wanted
/// @param status what others last said about it, kept as read; written even when empty, as Calico
///   does for this kind
/// @param unknown top-level fields this version has no name for, kept for the round trip
public record CalicoNodeStatus(
    Metadata metadata,
    CalicoNodeStatusSpec spec,
    @JsonInclude(JsonInclude.Include.ALWAYS) Map<String, Object> status,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown)
    implements Resource {

  public CalicoNodeStatus {
    metadata = Copies.required(metadata, "metadata");
    spec = spec == null ? CalicoNodeStatusSpec.EMPTY : spec;
    status = Copies.json(status);
    unknown = Copies.sorted(unknown);
  }

  public CalicoNodeStatus(Metadata metadata, CalicoNodeStatusSpec spec) {
    this(metadata, spec, Map.of(), Map.of());
  }

  @Override
  public Kind kind() {
    return Kind.CALICO_NODE_STATUS;
  }

  @Override
  public CalicoNodeStatus withMetadata(Metadata newMetadata) {
    return new CalicoNodeStatus(newMetadata, spec, status, unknown);
  }

  /// This object with another spec.
  public CalicoNodeStatus withSpec(CalicoNodeStatusSpec newSpec) {
    return new CalicoNodeStatus(metadata, newSpec, status, unknown);
  }
}
