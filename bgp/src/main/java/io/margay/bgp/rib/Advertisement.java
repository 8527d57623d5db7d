package io.margay.bgp.rib;

import io.margay.bgp.message.PathAttributes;
import io.margay.model.net.IpAddress;

/// A route as a peer is told it.
public record Advertisement(PathAttributes attributes, IpAddress nextHop) {}
