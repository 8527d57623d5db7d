package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import java.util.List;
import java.util.Map;

/// A filter's rules. The first that matches decides; where none does, the session's own default
/// holds.
///
/// @param exportV4 for IPv4 routes sent
/// @param importV4 for IPv4 routes received
/// @param exportV6 for IPv6 routes sent
/// @param importV6 for IPv6 routes received
/// @param unknown fields this version has no name for, kept for the round trip
public record BGPFilterSpec(
    List<BGPFilterRule> exportV4,
    List<BGPFilterRule> importV4,
    List<BGPFilterRule> exportV6,
    List<BGPFilterRule> importV6,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

  /// Nothing given.
  public static final BGPFilterSpec EMPTY =
      new BGPFilterSpec(List.of(), List.of(), List.of(), List.of(), Map.of());

  public BGPFilterSpec {
    exportV4 = Copies.list(exportV4);
    importV4 = Copies.list(importV4);
    exportV6 = Copies.list(exportV6);
    importV6 = Copies.list(importV6);
    unknown = Copies.sorted(unknown);
  }
}
