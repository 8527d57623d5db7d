package io.margay.bgp.fsm;

import io.margay.bgp.message.Open;
import io.margay.model.net.Asn;
import java.time.Duration;

/// What a connection's state machine needs to know.
///
/// @param passive only accepts connections
/// @param peerAsn the AS number the peer must have
/// @param open what we say first
/// @param connectRetry pause between connection attempts
public record SessionConfig(boolean passive, Asn peerAsn, Open open, Duration connectRetry) {}
