package io.margay.datastore.json;

import io.margay.model.k8s.KubernetesConversion;
import io.margay.model.resource.NetworkPolicy;
import io.margay.model.resource.StagedKubernetesNetworkPolicy;
import io.margay.model.resource.StagedNetworkPolicy;
import io.margay.model.resource.StagedPolicySpec;
import java.util.Optional;

/// Kubernetes policies on trial in the terms of Calico's own.
public final class StagedKubernetesPolicies {

  private StagedKubernetesPolicies() {}

  /// The policy it would become, on trial; empty when its rules hold what Kubernetes has no name
  /// for.
  public static Optional<StagedNetworkPolicy> translated(StagedKubernetesNetworkPolicy staged) {
    return StagedKubernetesRules.read(staged.spec())
        .map(KubernetesConversion::convert)
        .map(NetworkPolicy.class::cast)
        .map(
            policy ->
                new StagedNetworkPolicy(
                    staged.metadata(),
                    StagedPolicySpec.of(staged.spec().effectiveStagedAction(), policy.spec())));
  }
}
