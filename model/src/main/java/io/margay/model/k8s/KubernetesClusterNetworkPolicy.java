package io.margay.model.k8s;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import io.margay.model.resource.Metadata;

/// A `policy.networking.k8s.io` ClusterNetworkPolicy, v1alpha2 or v1beta1, which are alike. An
/// unknown field in its spec is refused when it is read: it might have been the point of a rule.
@JsonIgnoreProperties({"apiVersion", "kind", "status"})
public record KubernetesClusterNetworkPolicy(Metadata metadata, AdminPolicySpec spec)
    implements AdminPolicy {

  public KubernetesClusterNetworkPolicy {
    metadata = Given.required(metadata, "metadata");
    spec = Given.required(spec, "spec");
  }

  @Override
  public AdminDialect dialect() {
    return AdminDialect.CLUSTER;
  }
}
