package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import java.util.Map;

/// A group of policies evaluated together.
///
/// @param metadata identity and labels
/// @param spec what is wanted
/// @param status what others last said about it, kept as read
/// @param unknown top-level fields this version has no name for, kept for the round trip
public record Tier(
    Metadata metadata,
    TierSpec spec,
    Map<String, Object> status,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown)
    implements Resource {

  public Tier {
    metadata = Copies.required(metadata, "metadata");
    spec = spec == null ? TierSpec.EMPTY : spec;
    status = Copies.json(status);
    unknown = Copies.sorted(unknown);
  }

  public Tier(Metadata metadata, TierSpec spec) {
    this(metadata, spec, Map.of(), Map.of());
  }

  @Override
  public Kind kind() {
    return Kind.TIER;
  }

  @Override
  public Tier withMetadata(Metadata newMetadata) {
    return new Tier(newMetadata, spec, status, unknown);
  }

  /// This object with another spec.
  public Tier withSpec(TierSpec newSpec) {
    return new Tier(metadata, newSpec, status, unknown);
  }
}
