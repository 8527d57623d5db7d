package io.margay.bgp.speaker;

import io.margay.bgp.rib.PrefixLimit;
import java.time.InstantSource;
import java.util.function.Consumer;

/// Whom the `bgp-rib` loop talks to. All are called on that loop.
///
/// @param limits told when a peer comes near its prefix limit or passes it
/// @param failed told when a bug ends the loop, once
record RibEnvironment(
    FibListener fib,
    NextHopTracker nextHops,
    InstantSource clock,
    Consumer<PrefixLimit> limits,
    Consumer<Throwable> failed) {}
