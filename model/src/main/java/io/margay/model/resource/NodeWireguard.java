package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import io.margay.model.net.IpAddress;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A node's WireGuard devices, kept for nodes that have them.
///
/// @param interfaceIPv4Address of the IPv4 device
/// @param interfaceIPv6Address of the IPv6 device
/// @param unknown fields this version has no name for, kept for the round trip
public record NodeWireguard(
    @Nullable IpAddress interfaceIPv4Address,
    @Nullable IpAddress interfaceIPv6Address,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

  public NodeWireguard {
    unknown = Copies.sorted(unknown);
  }
}
