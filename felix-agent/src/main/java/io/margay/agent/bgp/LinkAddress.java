package io.margay.agent.bgp;

import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;

/// An address of the node on one of its links.
///
/// @param subnet the prefix that is reached without a gateway
public record LinkAddress(InterfaceName link, IpAddress address, Prefix subnet) {}
