package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import java.util.Map;

/// A BGP session some nodes shall hold.
///
/// @param metadata identity and labels
/// @param spec what is wanted
/// @param status what others last said about it, kept as read
/// @param unknown top-level fields this version has no name for, kept for the round trip
public record BGPPeer(
    Metadata metadata,
    BGPPeerSpec spec,
    Map<String, Object> status,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown)
    implements Resource {

  public BGPPeer {
    metadata = Copies.required(metadata, "metadata");
    spec = Copies.required(spec, "spec");
    status = Copies.json(status);
    unknown = Copies.sorted(unknown);
  }

  public BGPPeer(Metadata metadata, BGPPeerSpec spec) {
    this(metadata, spec, Map.of(), Map.of());
  }

  @Override
  public Kind kind() {
    return Kind.BGP_PEER;
  }

  @Override
  public BGPPeer withMetadata(Metadata newMetadata) {
    return new BGPPeer(newMetadata, spec, status, unknown);
  }

  /// This object with another spec.
  public BGPPeer withSpec(BGPPeerSpec newSpec) {
    return new BGPPeer(metadata, newSpec, status, unknown);
  }
}
