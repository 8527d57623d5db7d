package io.margay.bgp.bfd;

import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/// A session at one moment.
///
/// @param since when the state was entered
/// @param diagnostic why we last left Up
/// @param sendInterval of our packets, before jitter
/// @param detectionTime how long the peer may be silent; zero before it was heard
/// @param timesDown how often an established session failed
/// @param lastFailure why it failed last; none: it never did
/// @param problem why packets cannot be sent or received at the moment; absent: they can
/// @param latest how late a timer of the session has been at worst: pauses of this process
public record BfdStatus(
    BfdPeer peer,
    BfdState state,
    BfdState remoteState,
    Instant since,
    BfdDiagnostic diagnostic,
    BfdDiagnostic remoteDiagnostic,
    int localDiscriminator,
    int remoteDiscriminator,
    Duration sendInterval,
    Duration detectionTime,
    long packetsSent,
    long packetsReceived,
    long timesDown,
    BfdDiagnostic lastFailure,
    @Nullable String problem,
    Duration latest) {}
