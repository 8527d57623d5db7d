package io.margay.model.k8s;

/// A Kubernetes object that is never stored itself: the resource it converts to is.
public sealed interface ConvertedDocument extends KubernetesDocument
    permits AdminPolicy, KubernetesNamespace, KubernetesNetworkPolicy, KubernetesServiceAccount {}
