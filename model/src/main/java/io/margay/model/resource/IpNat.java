package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import io.margay.model.net.IpAddress;
import java.util.Map;

/// A one-to-one mapping of an endpoint's address.
///
/// @param internalIP the endpoint's
/// @param externalIP what others see
/// @param unknown fields this version has no name for, kept for the round trip
public record IpNat(
    IpAddress internalIP,
    IpAddress externalIP,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

  public IpNat {
    internalIP = Copies.required(internalIP, "internalIP");
    externalIP = Copies.required(externalIP, "externalIP");
    unknown = Copies.sorted(unknown);
  }
}
