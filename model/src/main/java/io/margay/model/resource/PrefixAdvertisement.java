package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import io.margay.model.net.Prefix;
import java.util.List;
import java.util.Map;

/// Communities of announced routes within a prefix.
///
/// @param cidr routes at or under it
/// @param communities names or values
/// @param unknown fields this version has no name for, kept for the round trip
public record PrefixAdvertisement(
    Prefix cidr,
    List<String> communities,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

  public PrefixAdvertisement {
    cidr = Copies.required(cidr, "cidr");
    communities = Copies.list(communities);
    unknown = Copies.sorted(unknown);
  }
}
