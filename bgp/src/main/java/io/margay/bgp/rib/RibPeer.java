package io.margay.bgp.rib;

import io.margay.model.net.Asn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.RouterId;

/// Whom a path came from.
///
/// @param external whether the peer is in another AS
public record RibPeer(IpAddress address, Asn asn, RouterId routerId, boolean external) {}
