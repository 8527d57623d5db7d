package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import java.util.Map;

/// Rules and labels that endpoints naming it inherit.
///
/// @param metadata identity and labels
/// @param spec what is wanted
/// @param status what others last said about it, kept as read
/// @param unknown top-level fields this version has no name for, kept for the round trip
public record Profile(
    Metadata metadata,
    ProfileSpec spec,
    Map<String, Object> status,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown)
    implements Resource {

  public Profile {
    metadata = Copies.required(metadata, "metadata");
    spec = spec == null ? ProfileSpec.EMPTY : spec;
    status = Copies.json(status);
    unknown = Copies.sorted(unknown);
  }

  public Profile(Metadata metadata, ProfileSpec spec) {
    this(metadata, spec, Map.of(), Map.of());
  }

  @Override
  public Kind kind() {
    return Kind.PROFILE;
  }

  @Override
  public Profile withMetadata(Metadata newMetadata) {
    return new Profile(newMetadata, spec, status, unknown);
  }

  /// This object with another spec.
  public Profile withSpec(ProfileSpec newSpec) {
    return new Profile(metadata, newSpec, status, unknown);
  }
}
