package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What a Kubernetes NetworkPolicy would do. Its parts are kept as written: whether they are a
/// policy is for the reader to check, who knows Kubernetes.
///
/// @param stagedAction null = Set
/// @param podSelector pods of the namespace; empty = all
/// @param ingress in order, for packets towards the pods
/// @param egress in order, for packets from the pods
/// @param policyTypes empty = Ingress, and Egress if there are egress rules
/// @param unknown fields this version has no name for, kept for the round trip
public record StagedKubernetesNetworkPolicySpec(
    @Nullable StagedAction stagedAction,
    @JsonInclude(JsonInclude.Include.ALWAYS) Map<String, Object> podSelector,
    List<Map<String, Object>> ingress,
    List<Map<String, Object>> egress,
    List<PolicyType> policyTypes,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

  /// Nothing given.
  public static final StagedKubernetesNetworkPolicySpec EMPTY =
      new StagedKubernetesNetworkPolicySpec(
          null, Map.of(), List.of(), List.of(), List.of(), Map.of());

  public StagedKubernetesNetworkPolicySpec {
    podSelector = Copies.json(podSelector);
    ingress = Copies.list(ingress);
    egress = Copies.list(egress);
    policyTypes = Copies.list(policyTypes);
    unknown = Copies.sorted(unknown);
  }

  public StagedAction effectiveStagedAction() {
    return stagedAction == null ? StagedAction.SET : stagedAction;
  }

  StagedKubernetesNetworkPolicySpec withDefaults() {
    return new StagedKubernetesNetworkPolicySpec(
        effectiveStagedAction(), podSelector, ingress, egress, policyTypes, unknown);
  }
}
