package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import io.margay.model.net.IpAddress;
import io.margay.model.net.MacAddress;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// How to reach a node.
///
/// @param bgp null = the node speaks no BGP
/// @param ipv4VXLANTunnelAddr of its tunnel device
/// @param ipv6VXLANTunnelAddr of its tunnel device
/// @param vxlanTunnelMACAddr of its tunnel device
/// @param vxlanTunnelMACAddrV6 of its tunnel device
/// @param wireguard its WireGuard devices
/// @param addresses all it has
/// @param interfaces its network interfaces
/// @param orchRefs what others call it
/// @param unknown fields this version has no name for, kept for the round trip
// As Calico writes them.
@JsonPropertyOrder({
  "bgp",
  "ipv4VXLANTunnelAddr",
  "vxlanTunnelMACAddr",
  "ipv6VXLANTunnelAddr",
  "vxlanTunnelMACAddrV6",
  "orchRefs",
  "wireguard",
  "addresses",
  "interfaces"
})
public record NodeSpec(
    @Nullable NodeBgp bgp,
    @Nullable IpAddress ipv4VXLANTunnelAddr,
    @Nullable IpAddress ipv6VXLANTunnelAddr,
    @Nullable MacAddress vxlanTunnelMACAddr,
    @Nullable MacAddress vxlanTunnelMACAddrV6,
    @Nullable NodeWireguard wireguard,
    List<NodeAddress> addresses,
    List<NodeInterface> interfaces,
    List<OrchRef> orchRefs,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

  /// Nothing given.
  public static final NodeSpec EMPTY =
      new NodeSpec(null, null, null, null, null, null, List.of(), List.of(), List.of(), Map.of());

  public NodeSpec {
    addresses = Copies.list(addresses);
    interfaces = Copies.list(interfaces);
    orchRefs = Copies.list(orchRefs);
    unknown = Copies.sorted(unknown);
  }
}
