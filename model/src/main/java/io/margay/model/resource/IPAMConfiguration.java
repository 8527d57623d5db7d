package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import java.util.Map;

/// How addresses are assigned; there is one, named `default`.
///
/// @param metadata identity and labels
/// @param spec what is wanted
/// @param status what others last said about it, kept as read
/// @param unknown top-level fields this version has no name for, kept for the round trip
public record IPAMConfiguration(
    Metadata metadata,
    IPAMConfigurationSpec spec,
    Map<String, Object> status,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown)
    implements Resource {

  public IPAMConfiguration {
    metadata = Copies.required(metadata, "metadata");
    spec = spec == null ? IPAMConfigurationSpec.EMPTY : spec;
    status = Copies.json(status);
    unknown = Copies.sorted(unknown);
  }

  public IPAMConfiguration(Metadata metadata, IPAMConfigurationSpec spec) {
    this(metadata, spec, Map.of(), Map.of());
  }

  @Override
  public Kind kind() {
    return Kind.IPAM_CONFIGURATION;
  }

  @Override
  public IPAMConfiguration withMetadata(Metadata newMetadata) {
    return new IPAMConfiguration(newMetadata, spec, status, unknown);
  }

  /// This object with another spec.
  public IPAMConfiguration withSpec(IPAMConfigurationSpec newSpec) {
    return new IPAMConfiguration(metadata, newSpec, status, unknown);
  }
}
