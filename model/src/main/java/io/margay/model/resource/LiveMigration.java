package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import java.util.Map;

/// A virtual machine on its way from one node to another.
///
/// @param metadata identity and labels
/// @param spec what is wanted
/// @param status what others last said about it, kept as read
/// @param unknown top-level fields this version has no name for, kept for the round trip
public record LiveMigration(
    Metadata metadata,
    LiveMigrationSpec spec,
    Map<String, Object> status,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown)
    implements Resource {

  public LiveMigration {
    metadata = Copies.required(metadata, "metadata");
    spec = spec == null ? LiveMigrationSpec.EMPTY : spec;
    status = Copies.json(status);
    unknown = Copies.sorted(unknown);
  }

  public LiveMigration(Metadata metadata, LiveMigrationSpec spec) {
    this(metadata, spec, Map.of(), Map.of());
  }

  @Override
  public Kind kind() {
    return Kind.LIVE_MIGRATION;
  }

  @Override
  public LiveMigration withMetadata(Metadata newMetadata) {
    return new LiveMigration(newMetadata, spec, status, unknown);
  }

  /// This object with another spec.
  public LiveMigration withSpec(LiveMigrationSpec newSpec) {
    return new LiveMigration(metadata, newSpec, status, unknown);
  }
}
