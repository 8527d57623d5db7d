package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import java.util.Map;

/// A name for a community.
///
/// @param name as `prefixAdvertisements` use it
/// @param value `aa:nn` (RFC 1997) or `aa:nn:mm` (RFC 8092)
/// @param unknown fields this version has no name for, kept for the round trip
public record BgpCommunity(
    String name, String value, @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

  public BgpCommunity {
    name = Copies.required(name, "name");
    value = Copies.required(value, "value");
    unknown = Copies.sorted(unknown);
  }
}
