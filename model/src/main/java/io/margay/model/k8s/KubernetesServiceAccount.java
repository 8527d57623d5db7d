package io.margay.model.k8s;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import io.margay.model.resource.Metadata;

/// A `v1` ServiceAccount; only its name, namespace and labels matter here.
@JsonIgnoreProperties(ignoreUnknown = true)
public record KubernetesServiceAccount(Metadata metadata) implements ConvertedDocument {

  public KubernetesServiceAccount {
    metadata = Given.required(metadata, "metadata");
  }
}
