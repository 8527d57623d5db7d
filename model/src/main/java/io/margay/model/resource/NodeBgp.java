package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import io.margay.model.net.Asn;
import io.margay.model.net.IpAddress;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A node's BGP identity.
///
/// @param asNumber null = the cluster's
/// @param ipv4Address session address and its subnet
/// @param ipv6Address session address and its subnet
/// @param ipv4IPIPTunnelAddr of its tunnel device
/// @param routeReflectorClusterID null = not a route reflector; else like an IPv4 address
/// @param unknown fields this version has no name for, kept for the round trip
public record NodeBgp(
    @Nullable Asn asNumber,
    @Nullable AddressOnLink ipv4Address,
    @Nullable AddressOnLink ipv6Address,
    @Nullable IpAddress ipv4IPIPTunnelAddr,
    @Nullable String routeReflectorClusterID,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

  /// Nothing given.
  public static final NodeBgp EMPTY = new NodeBgp(null, null, null, null, null, Map.of());

  public NodeBgp {
    unknown = Copies.sorted(unknown);
  }
}
