package io.margay.bgp.rib;

import io.margay.model.net.Prefix;
import java.util.List;

/// What the forwarding table should hold for a prefix from now on.
///
/// @param gateways ascending, without repeats; none: nothing
public record ForwardingChange(Prefix prefix, List<Gateway> gateways) {}
