package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import io.margay.model.net.Prefix;
import java.util.List;
import java.util.Map;

/// Addresses kept out of automatic assignment.
///
/// @param reservedCIDRs may overlap
/// @param unknown fields this version has no name for, kept for the round trip
public record IPReservationSpec(
    List<Prefix> reservedCIDRs, @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

  /// Nothing given.
  public static final IPReservationSpec EMPTY = new IPReservationSpec(List.of(), Map.of());

  public IPReservationSpec {
    reservedCIDRs = Copies.list(reservedCIDRs);
    unknown = Copies.sorted(unknown);
  }
}
