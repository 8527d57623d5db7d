package io.margay.bgp.speaker;

import io.margay.model.net.Asn;
import io.margay.model.net.IpFamily;
import io.margay.model.net.RouterId;
import java.util.List;
import java.util.Set;

/// The speaker at one moment.
///
/// @param gracefulShutdown whether the node is being drained (RFC 8326)
/// @param awaitingEndOfRib families whose leftovers may not be swept yet
/// @param originated number of own prefixes
/// @param peers by address
public record SpeakerStatus(
    Asn asn,
    RouterId routerId,
    RouterId clusterId,
    boolean gracefulShutdown,
    Set<IpFamily> awaitingEndOfRib,
    int originated,
    List<PeerStatus> peers) {
  public SpeakerStatus {
    awaitingEndOfRib = Set.copyOf(awaitingEndOfRib);
    peers = List.copyOf(peers);
  }
}
