package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import java.util.Map;

/// Knobs of the node agent: `default` for all nodes, `node.<name>` for one.
///
/// @param metadata identity and labels
/// @param spec what is wanted
/// @param status what others last said about it, kept as read
/// @param unknown top-level fields this version has no name for, kept for the round trip
public record FelixConfiguration(
    Metadata metadata,
    FelixConfigurationSpec spec,
    Map<String, Object> status,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown)
    implements Resource {

  public FelixConfiguration {
    metadata = Copies.required(metadata, "metadata");
    spec = spec == null ? FelixConfigurationSpec.EMPTY : spec;
    status = Copies.json(status);
    unknown = Copies.sorted(unknown);
  }

  public FelixConfiguration(Metadata metadata, FelixConfigurationSpec spec) {
    this(metadata, spec, Map.of(), Map.of());
  }

  @Override
  public Kind kind() {
    return Kind.FELIX_CONFIGURATION;
  }

  @Override
  public FelixConfiguration withMetadata(Metadata newMetadata) {
    return new FelixConfiguration(newMetadata, spec, status, unknown);
  }

  /// This object with another spec.
  public FelixConfiguration withSpec(FelixConfigurationSpec newSpec) {
    return new FelixConfiguration(metadata, newSpec, status, unknown);
  }
}
