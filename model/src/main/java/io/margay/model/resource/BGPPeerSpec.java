package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import io.margay.model.net.Asn;
import io.margay.model.net.IpAddress;
import io.margay.model.selector.Selector;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Who peers with whom, and how.
///
/// @param node the one node that holds the session
/// @param nodeSelector or the nodes that do; neither = all
/// @param peerIP the other end
/// @param asNumber AS of the other end
/// @param peerSelector instead of `peerIP`: nodes at the other end
/// @param localASNumber AS shown to the peer instead of the node's
/// @param keepOriginalNextHop deprecated: true = `nextHopMode` Keep
/// @param nextHopMode null = Auto
/// @param password TCP-MD5 key
/// @param sourceAddress `UseNodeIP` or `None`; null = UseNodeIP
/// @param maxRestartTime graceful restart time
/// @param keepaliveTime interval of KEEPALIVE messages
/// @param numAllowedLocalASNumbers occurrences of the own AS tolerated in received paths
/// @param ttlSecurity hops to the peer (RFC 5082)
/// @param reachableBy gateway to a peer that is not on link
/// @param filters BGPFilter names, in order
/// @param localWorkloadSelector instead of a peer: pods of the node
/// @param reversePeering `Auto` or `Manual`
/// @param unknown fields this version has no name for, kept for the round trip
// As Calico writes them.
@JsonPropertyOrder({
  "node",
  "nodeSelector",
  "peerIP",
  "asNumber",
  "localASNumber",
  "peerSelector",
  "keepOriginalNextHop",
  "nextHopMode",
  "password",
  "sourceAddress",
  "maxRestartTime",
  "keepaliveTime",
  "numAllowedLocalASNumbers",
  "ttlSecurity",
  "reachableBy",
  "filters",
  "localWorkloadSelector",
  "reversePeering"
})
public record BGPPeerSpec(
    @Nullable String node,
    @Nullable Selector nodeSelector,
    @Nullable PeerAddress peerIP,
    @Nullable Asn asNumber,
    @Nullable Selector peerSelector,
    @Nullable Asn localASNumber,
    @Nullable Boolean keepOriginalNextHop,
    @Nullable NextHopMode nextHopMode,
    @Nullable BgpPassword password,
    @Nullable String sourceAddress,
    @Nullable Duration maxRestartTime,
    @Nullable Duration keepaliveTime,
    @Nullable Integer numAllowedLocalASNumbers,
    @Nullable Integer ttlSecurity,
    @Nullable IpAddress reachableBy,
    List<String> filters,
    @Nullable Selector localWorkloadSelector,
    @Nullable String reversePeering,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

  /// Nothing given.
  public static final BGPPeerSpec EMPTY =
      new BGPPeerSpec(
          null, null, null, null, null, null, null, null, null, null, null, null, null, null, null,
          List.of(), null, null, Map.of());

  public BGPPeerSpec {
    filters = Copies.list(filters);
    unknown = Copies.sorted(unknown);
  }

  /// What next hop routes to this peer carry.
  public NextHopMode effectiveNextHopMode() {
    if (nextHopMode != null) {
      return nextHopMode;
    }
    return Boolean.TRUE.equals(keepOriginalNextHop) ? NextHopMode.KEEP : NextHopMode.AUTO;
  }

  /// Whether the session leaves from the node's own BGP address.
  public boolean usesNodeAddress() {
    return !"None".equals(sourceAddress);
  }
}
