package io.margay.model.k8s;

import io.margay.model.resource.Metadata;

/// A Kubernetes object this system accepts as input.
public sealed interface KubernetesDocument
    permits ConvertedDocument, KubernetesEndpointSlice, KubernetesPod {

  Metadata metadata();
}
