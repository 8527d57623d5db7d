package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import io.margay.model.net.IpAddress;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// An interface of a node.
///
/// @param node whose interface
/// @param interfaceName `*` = all of the host's; null = by `expectedIPs`
/// @param expectedIPs addresses of the interface
/// @param profiles in order
/// @param ports names for ports
/// @param unknown fields this version has no name for, kept for the round trip
public record HostEndpointSpec(
    @Nullable String node,
    @Nullable String interfaceName,
    List<IpAddress> expectedIPs,
    List<String> profiles,
    List<EndpointPort> ports,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

  /// Nothing given.
  public static final HostEndpointSpec EMPTY =
      new HostEndpointSpec(null, null, List.of(), List.of(), List.of(), Map.of());

  public HostEndpointSpec {
    expectedIPs = Copies.list(expectedIPs);
    profiles = Copies.list(profiles);
    ports = Copies.list(ports);
    unknown = Copies.sorted(unknown);
  }

  /// The `interfaceName` that stands for every interface of the host.
  public static final String ALL_INTERFACES = "*";
}
