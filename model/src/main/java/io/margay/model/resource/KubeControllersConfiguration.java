package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.Map;

/// Knobs of Calico's Kubernetes controllers, kept for them.
///
/// @param metadata identity and labels
/// @param spec what is wanted
/// @param status what others last said about it, kept as read; written even when empty, as Calico
///   does for this kind
/// @param unknown top-level fields this version has no name for, kept for the round trip
public record KubeControllersConfiguration(
    Metadata metadata,
    KubeControllersConfigurationSpec spec,
    @JsonInclude(JsonInclude.Include.ALWAYS) Map<String, Object> status,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown)
    implements Resource {

  public KubeControllersConfiguration {
    metadata = Copies.required(metadata, "metadata");
    spec = spec == null ? KubeControllersConfigurationSpec.EMPTY : spec;
    status = Copies.json(status);
    unknown = Copies.sorted(unknown);
  }

  public KubeControllersConfiguration(Metadata metadata, KubeControllersConfigurationSpec spec) {
    this(metadata, spec, Map.of(), Map.of());
  }

  @Override
  public Kind kind() {
    return Kind.KUBE_CONTROLLERS_CONFIGURATION;
  }

  @Override
  public KubeControllersConfiguration withMetadata(Metadata newMetadata) {
    return new KubeControllersConfiguration(newMetadata, spec, status, unknown);
  }

  /// This object with another spec.
  public KubeControllersConfiguration withSpec(KubeControllersConfigurationSpec newSpec) {
    return new KubeControllersConfiguration(metadata, newSpec, status, unknown);
  }
}
