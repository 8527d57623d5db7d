package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import java.util.Map;

/// A node's claim of a block of addresses. A view of the allocator's own key, see
/// [Kind#isStoredAsResource].
///
/// @param metadata identity and labels
/// @param spec what is wanted
/// @param status what others last said about it, kept as read
/// @param unknown top-level fields this version has no name for, kept for the round trip
public record BlockAffinity(
    Metadata metadata,
    BlockAffinitySpec spec,
    Map<String, Object> status,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown)
    implements Resource {

  public BlockAffinity {
    metadata = Copies.required(metadata, "metadata");
    spec = Copies.required(spec, "spec");
    status = Copies.json(status);
    unknown = Copies.sorted(unknown);
  }

  public BlockAffinity(Metadata metadata, BlockAffinitySpec spec) {
    this(metadata, spec, Map.of(), Map.of());
  }

  @Override
  public Kind kind() {
    return Kind.BLOCK_AFFINITY;
  }

  @Override
  public BlockAffinity withMetadata(Metadata newMetadata) {
    return new BlockAffinity(newMetadata, spec, status, unknown);
  }

  /// This object with another spec.
  public BlockAffinity withSpec(BlockAffinitySpec newSpec) {
    return new BlockAffinity(metadata, newSpec, status, unknown);
  }
}
