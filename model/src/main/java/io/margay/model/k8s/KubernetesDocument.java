package io.margay.model.k8s;

import io.margay.model.resource.Metadata;

/// A Kubernetes object this system accepts as input. Never stored: what it converts to is.
public sealed interface KubernetesDocument
    permits KubernetesNamespace, KubernetesNetworkPolicy, KubernetesServiceAccount {

  Metadata metadata();
}
