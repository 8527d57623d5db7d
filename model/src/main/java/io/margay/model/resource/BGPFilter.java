package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import java.util.Map;

/// Rules for the routes BGP sessions send and take; [BGPPeerSpec#filters] names it.
///
/// @param metadata identity and labels
/// @param spec what is wanted
/// @param status what others last said about it, kept as read
/// @param unknown top-level fields this version has no name for, kept for the round trip
public record BGPFilter(
    Metadata metadata,
    BGPFilterSpec spec,
    Map<String, Object> status,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown)
    implements Resource {

  public BGPFilter {
    metadata = Copies.required(metadata, "metadata");
    spec = spec == null ? BGPFilterSpec.EMPTY : spec;
    status = Copies.json(status);
    unknown = Copies.sorted(unknown);
  }

  public BGPFilter(Metadata metadata, BGPFilterSpec spec) {
    this(metadata, spec, Map.of(), Map.of());
  }

  @Override
  public Kind kind() {
    return Kind.BGP_FILTER;
  }

  @Override
  public BGPFilter withMetadata(Metadata newMetadata) {
    return new BGPFilter(newMetadata, spec, status, unknown);
  }

  /// This object with another spec.
  public BGPFilter withSpec(BGPFilterSpec newSpec) {
    return new BGPFilter(metadata, newSpec, status, unknown);
  }
}
