package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import java.util.Map;

/// A NetworkPolicy on trial: it is evaluated, nothing is enforced.
///
/// @param metadata identity and labels
/// @param spec what is wanted
/// @param status what others last said about it, kept as read
/// @param unknown top-level fields this version has no name for, kept for the round trip
public record StagedNetworkPolicy(
    Metadata metadata,
    StagedPolicySpec spec,
    Map<String, Object> status,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown)
    implements Resource {

  public StagedNetworkPolicy {
    metadata = Copies.required(metadata, "metadata");
    spec = spec == null ? StagedPolicySpec.of(null, PolicySpec.EMPTY) : spec;
    status = Copies.json(status);
    unknown = Copies.sorted(unknown);
  }

  public StagedNetworkPolicy(Metadata metadata, StagedPolicySpec spec) {
    this(metadata, spec, Map.of(), Map.of());
  }

  @Override
  public Kind kind() {
    return Kind.STAGED_NETWORK_POLICY;
  }

  @Override
  public StagedNetworkPolicy withMetadata(Metadata newMetadata) {
    return new StagedNetworkPolicy(newMetadata, spec, status, unknown);
  }

  /// This object with another spec.
  public StagedNetworkPolicy withSpec(StagedPolicySpec newSpec) {
    return new StagedNetworkPolicy(metadata, newSpec, status, unknown);
  }
}
