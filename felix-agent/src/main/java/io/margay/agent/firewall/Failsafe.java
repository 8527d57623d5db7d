package io.margay.agent.firewall;

import io.margay.model.net.Prefix;
import org.jspecify.annotations.Nullable;

/// A port that stays open whatever the policy of host endpoints says, so that nobody locks himself
/// out.
///
/// @param protocol IP protocol number of one that has ports
/// @param port the destination's, 0 to 65535
/// @param net whose: of sources inbound, of destinations outbound; null = everybody's
public record Failsafe(int protocol, int port, @Nullable Prefix net) {}
