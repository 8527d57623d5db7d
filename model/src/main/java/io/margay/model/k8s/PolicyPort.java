package io.margay.model.k8s;

import io.margay.model.resource.Port;
import io.margay.model.resource.Protocol;
import org.jspecify.annotations.Nullable;

/// A port of the destination.
///
/// @param protocol TCP, UDP or SCTP; null = TCP
/// @param port a number, or a name the destination pod resolves; null = all ports of the protocol
/// @param endPort last port of a range that `port` starts
public record PolicyPort(
    @Nullable Protocol protocol, @Nullable Port port, @Nullable Integer endPort) {}
