package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import java.util.Map;

/// A Kubernetes NetworkPolicy on trial: it is evaluated, nothing is enforced.
///
/// @param metadata identity and labels
/// @param spec what is wanted
/// @param status what others last said about it, kept as read
/// @param unknown top-level fields this version has no name for, kept for the round trip
public record StagedKubernetesNetworkPolicy(
    Metadata metadata,
    StagedKubernetesNetworkPolicySpec spec,
    Map<String, Object> status,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown)
    implements Resource {

  public StagedKubernetesNetworkPolicy {
    metadata = Copies.required(metadata, "metadata");
    spec = spec == null ? StagedKubernetesNetworkPolicySpec.EMPTY : spec;
    status = Copies.json(status);
    unknown = Copies.sorted(unknown);
  }

  public StagedKubernetesNetworkPolicy(Metadata metadata, StagedKubernetesNetworkPolicySpec spec) {
    this(metadata, spec, Map.of(), Map.of());
  }

  @Override
  public Kind kind() {
    return Kind.STAGED_KUBERNETES_NETWORK_POLICY;
  }

  @Override
  public StagedKubernetesNetworkPolicy withMetadata(Metadata newMetadata) {
    return new StagedKubernetesNetworkPolicy(newMetadata, spec, status, unknown);
  }

  /// This object with another spec.
  public StagedKubernetesNetworkPolicy withSpec(StagedKubernetesNetworkPolicySpec newSpec) {
    return new StagedKubernetesNetworkPolicy(metadata, newSpec, status, unknown);
  }
}
