package io.margay.model.k8s;

/// A policy of the cluster's administrator, in one of the shapes that `policy.networking.k8s.io`
/// has given it. They differ in limits and words, which [AdminDialect] holds, and mean the same
/// kind of thing: ordered rules before or after those of NetworkPolicies.
public sealed interface AdminPolicy extends ConvertedDocument
    permits KubernetesAdminNetworkPolicy,
        KubernetesBaselineAdminNetworkPolicy,
        KubernetesClusterNetworkPolicy {

  AdminPolicySpec spec();

  AdminDialect dialect();
}
