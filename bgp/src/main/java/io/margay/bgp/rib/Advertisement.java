package io.margay.bgp.rib;

import io.margay.bgp.message.RouteAttributes;

/// A route as a peer was told it.
///
/// @param pathId where the peer is told several paths to a prefix (RFC 7911); otherwise 0
public record Advertisement(int pathId, RouteAttributes route) {}
