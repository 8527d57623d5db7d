package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import io.margay.model.net.Asn;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The cluster's, or one node's, BGP settings.
///
/// @param logSeverityScreen least severity logged
/// @param nodeToNodeMeshEnabled every node peers with every other; null = yes
/// @param asNumber of nodes without their own; null = 64512
/// @param serviceClusterIPs announced service prefixes
/// @param serviceExternalIPs announced service prefixes
/// @param serviceLoadBalancerIPs announced service prefixes
/// @param serviceLoadBalancerAggregation `Enabled` or `Disabled`
/// @param communities names for community values
/// @param prefixAdvertisements communities by prefix
/// @param listenPort TCP port; null = 179
/// @param nodeMeshPassword TCP-MD5 key of the mesh
/// @param nodeMeshMaxRestartTime graceful restart time of the mesh, seconds to an hour
/// @param bindMode `None` or `NodeIP`
/// @param ignoredInterfaces globs of interfaces whose routes are not read
/// @param localWorkloadPeeringIPV4 address pods peer with
/// @param localWorkloadPeeringIPV6 address pods peer with
/// @param programClusterRoutes who writes routes between nodes
/// @param ipv4NormalRoutePriority kernel metric; null = 1024
/// @param ipv6NormalRoutePriority kernel metric; null = 1024
/// @param unknown fields this version has no name for, kept for the round trip
// As Calico writes them.
@JsonPropertyOrder({
  "logSeverityScreen",
  "nodeToNodeMeshEnabled",
  "asNumber",
  "serviceLoadBalancerIPs",
  "serviceExternalIPs",
  "serviceClusterIPs",
  "serviceLoadBalancerAggregation",
  "communities",
  "prefixAdvertisements",
  "listenPort",
  "nodeMeshPassword",
  "nodeMeshMaxRestartTime",
  "bindMode",
  "ignoredInterfaces",
  "localWorkloadPeeringIPV4",
  "localWorkloadPeeringIPV6",
  "programClusterRoutes",
  "ipv4NormalRoutePriority",
  "ipv6NormalRoutePriority"
})
public record BGPConfigurationSpec(
    @Nullable String logSeverityScreen,
    @Nullable Boolean nodeToNodeMeshEnabled,
    @Nullable Asn asNumber,
    List<CidrEntry> serviceClusterIPs,
    List<CidrEntry> serviceExternalIPs,
    List<CidrEntry> serviceLoadBalancerIPs,
    @Nullable String serviceLoadBalancerAggregation,
    List<BgpCommunity> communities,
    List<PrefixAdvertisement> prefixAdvertisements,
    @Nullable Integer listenPort,
    @Nullable BgpPassword nodeMeshPassword,
    @Nullable Duration nodeMeshMaxRestartTime,
    @Nullable String bindMode,
    List<String> ignoredInterfaces,
    @Nullable String localWorkloadPeeringIPV4,
    @Nullable String localWorkloadPeeringIPV6,
    @Nullable String programClusterRoutes,
    @Nullable Integer ipv4NormalRoutePriority,
    @Nullable Integer ipv6NormalRoutePriority,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

  /// Nothing given.
  public static final BGPConfigurationSpec EMPTY =
      new BGPConfigurationSpec(
          null, null, null, List.of(), List.of(), List.of(), null, List.of(), List.of(), null, null,
          null, null, List.of(), null, null, null, null, null, Map.of());

  public BGPConfigurationSpec {
    serviceClusterIPs = Copies.list(serviceClusterIPs);
    serviceExternalIPs = Copies.list(serviceExternalIPs);
    serviceLoadBalancerIPs = Copies.list(serviceLoadBalancerIPs);
    communities = Copies.list(communities);
    prefixAdvertisements = Copies.list(prefixAdvertisements);
    ignoredInterfaces = Copies.list(ignoredInterfaces);
    unknown = Copies.sorted(unknown);
  }

  /// The AS of nodes for which none is given.
  public static final Asn DEFAULT_AS_NUMBER = new Asn(64512);

  /// The TCP port of BGP (RFC 4271 §8).
  public static final int DEFAULT_LISTEN_PORT = 179;

  public boolean isNodeToNodeMeshEnabled() {
    return !Boolean.FALSE.equals(nodeToNodeMeshEnabled);
  }

  public Asn effectiveAsNumber() {
    return asNumber == null ? DEFAULT_AS_NUMBER : asNumber;
  }

  public int effectiveListenPort() {
    return listenPort == null ? DEFAULT_LISTEN_PORT : listenPort;
  }
}
