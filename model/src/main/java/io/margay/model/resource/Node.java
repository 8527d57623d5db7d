package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.Map;

/// A machine of the cluster.
///
/// @param metadata identity and labels
/// @param spec what is wanted
/// @param status what others last said about it, kept as read; written even when empty, as Calico
///   does for this kind
/// @param unknown top-level fields this version has no name for, kept for the round trip
public record Node(
    Metadata metadata,
    NodeSpec spec,
    @JsonInclude(JsonInclude.Include.ALWAYS) Map<String, Object> status,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown)
    implements Resource {

  public Node {
    metadata = Copies.required(metadata, "metadata");
    spec = spec == null ? NodeSpec.EMPTY : spec;
    status = Copies.json(status);
    unknown = Copies.sorted(unknown);
  }

  public Node(Metadata metadata, NodeSpec spec) {
    this(metadata, spec, Map.of(), Map.of());
  }

  @Override
  public Kind kind() {
    return Kind.NODE;
  }

  @Override
  public Node withMetadata(Metadata newMetadata) {
    return new Node(newMetadata, spec, status, unknown);
  }

  /// This object with another spec.
  public Node withSpec(NodeSpec newSpec) {
    return new Node(metadata, newSpec, status, unknown);
  }
}
