package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import java.util.Map;

/// Addresses never assigned unless asked for by name.
///
/// @param metadata identity and labels
/// @param spec what is wanted
/// @param status what others last said about it, kept as read
/// @param unknown top-level fields this version has no name for, kept for the round trip
public record IPReservation(
    Metadata metadata,
    IPReservationSpec spec,
    Map<String, Object> status,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown)
    implements Resource {

  public IPReservation {
    metadata = Copies.required(metadata, "metadata");
    spec = spec == null ? IPReservationSpec.EMPTY : spec;
    status = Copies.json(status);
    unknown = Copies.sorted(unknown);
  }

  public IPReservation(Metadata metadata, IPReservationSpec spec) {
    this(metadata, spec, Map.of(), Map.of());
  }

  @Override
  public Kind kind() {
    return Kind.IP_RESERVATION;
  }

  @Override
  public IPReservation withMetadata(Metadata newMetadata) {
    return new IPReservation(newMetadata, spec, status, unknown);
  }

  /// This object with another spec.
  public IPReservation withSpec(IPReservationSpec newSpec) {
    return new IPReservation(metadata, newSpec, status, unknown);
  }
}
