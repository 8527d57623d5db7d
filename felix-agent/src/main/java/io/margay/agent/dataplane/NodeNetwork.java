package io.margay.agent.dataplane;

import io.margay.agent.firewall.Ways;

/// What of the node's network says by which interfaces connections come and go.
///
/// @param own all addresses of the node
/// @param held those of links by which packets may come in
/// @param ways asked at most once a round for each address
public record NodeNetwork(HostPortFlows.LocalAddresses own, HostAddresses held, Ways ways) {}
