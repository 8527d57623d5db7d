package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import java.util.Map;

/// How the cluster speaks BGP: `default` for all nodes, `node.<name>` for one.
///
/// @param metadata identity and labels
/// @param spec what is wanted
/// @param status what others last said about it, kept as read
/// @param unknown top-level fields this version has no name for, kept for the round trip
public record BGPConfiguration(
    Metadata metadata,
    BGPConfigurationSpec spec,
    Map<String, Object> status,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown)
    implements Resource {

  public BGPConfiguration {
    metadata = Copies.required(metadata, "metadata");
    spec = spec == null ? BGPConfigurationSpec.EMPTY : spec;
    status = Copies.json(status);
    unknown = Copies.sorted(unknown);
  }

  public BGPConfiguration(Metadata metadata, BGPConfigurationSpec spec) {
    this(metadata, spec, Map.of(), Map.of());
  }

  @Override
  public Kind kind() {
    return Kind.BGP_CONFIGURATION;
  }

  @Override
  public BGPConfiguration withMetadata(Metadata newMetadata) {
    return new BGPConfiguration(newMetadata, spec, status, unknown);
  }

  /// This object with another spec.
  public BGPConfiguration withSpec(BGPConfigurationSpec newSpec) {
    return new BGPConfiguration(metadata, newSpec, status, unknown);
  }
}
