package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// An ICMP or ICMPv6 type, and optionally code.
///
/// @param type 0 to 254
/// @param code 0 to 255; needs a type
/// @param unknown fields this version has no name for, kept for the round trip
public record IcmpFields(
    @Nullable Integer type,
    @Nullable Integer code,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

  public IcmpFields {
    unknown = Copies.sorted(unknown);
  }
}
