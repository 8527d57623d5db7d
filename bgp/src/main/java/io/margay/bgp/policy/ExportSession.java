package io.margay.bgp.policy;

import io.margay.bgp.message.NextHop;
import io.margay.model.net.Asn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.model.net.RouterId;
import io.margay.model.net.ScopedAddress;
import java.util.Map;
import java.util.Set;

/// An established session, as far as it decides what the peer is told.
///
/// @param peer the other end of the session
/// @param asn its AS
/// @param routerId its identifier
/// @param kind what it is to us
/// @param families what was negotiated
/// @param nextHops our own addresses as next hop, by the family of the routes; a family without one
///   is not announced from here
/// @param extendedNextHop families whose routes may have a next hop of the other family (RFC 8950
///   §4)
/// @param sharedSubnets the subnets we have in common with the peer; none across a router
public record ExportSession(
    ScopedAddress peer,
    Asn asn,
    RouterId routerId,
    PeerKind kind,
    Set<IpFamily> families,
    Map<IpFamily, NextHop> nextHops,
    Set<IpFamily> extendedNextHop,
    Set<Prefix> sharedSubnets) {

  public ExportSession {
    families = Set.copyOf(families);
    nextHops = Map.copyOf(nextHops);
    extendedNextHop = Set.copyOf(extendedNextHop);
    sharedSubnets = Set.copyOf(sharedSubnets);
  }

  /// Whether both ends are on the link of an address.
  public boolean sharesSubnet(IpAddress address) {
    for (Prefix subnet : sharedSubnets) {
      if (subnet.contains(address)) {
        return true;
      }
    }
    return false;
  }

  /// Whether a route of a family may be announced with such a next hop.
  boolean canCarry(IpFamily family, IpAddress nextHop) {
    return nextHop.family() == family
        || nextHop.family() == IpFamily.IPV6 && extendedNextHop.contains(family);
  }
}
