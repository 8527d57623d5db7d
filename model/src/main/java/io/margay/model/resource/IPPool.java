package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import java.util.Map;

/// A prefix that pod addresses are taken from.
///
/// @param metadata identity and labels
/// @param spec what is wanted
/// @param status what others last said about it, kept as read
/// @param unknown top-level fields this version has no name for, kept for the round trip
public record IPPool(
    Metadata metadata,
    IPPoolSpec spec,
    Map<String, Object> status,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown)
    implements Resource {

  public IPPool {
    metadata = Copies.required(metadata, "metadata");
    spec = Copies.required(spec, "spec");
    status = Copies.json(status);
    unknown = Copies.sorted(unknown);
  }

  public IPPool(Metadata metadata, IPPoolSpec spec) {
    this(metadata, spec, Map.of(), Map.of());
  }

  @Override
  public Kind kind() {
    return Kind.IP_POOL;
  }

  @Override
  public IPPool withMetadata(Metadata newMetadata) {
    return new IPPool(newMetadata, spec, status, unknown);
  }

  /// This object with another spec.
  public IPPool withSpec(IPPoolSpec newSpec) {
    return new IPPool(metadata, newSpec, status, unknown);
  }
}
