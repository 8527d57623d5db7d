package io.margay.model.k8s;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import io.margay.model.resource.Metadata;

/// A `v1` Namespace; only its name and labels matter here.
@JsonIgnoreProperties(ignoreUnknown = true)
public record KubernetesNamespace(Metadata metadata) implements ConvertedDocument {

  public KubernetesNamespace {
    metadata = Given.required(metadata, "metadata");
  }
}
