package io.margay.bgp.policy;

import io.margay.model.net.Asn;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.RouterId;
import io.margay.model.net.ScopedAddress;
import org.jspecify.annotations.Nullable;

/// Whom a route was learned from.
///
/// @param peer the other end of the session
/// @param asn its AS, as its OPEN had it
/// @param routerId its identifier, as its OPEN had it
/// @param kind what it is to us
/// @param via the interface the session runs over; absent when the peer is not on a link of ours or
///   the link is unknown
public record RouteSource(
    ScopedAddress peer, Asn asn, RouterId routerId, PeerKind kind, @Nullable InterfaceName via) {

  /// A peer on the link its address names, if it names one.
  public RouteSource(ScopedAddress peer, Asn asn, RouterId routerId, PeerKind kind) {
    this(peer, asn, routerId, kind, peer.scope());
  }
}
