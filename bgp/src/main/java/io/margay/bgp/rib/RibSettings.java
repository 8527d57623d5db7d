package io.margay.bgp.rib;

/// What a RIB is started with.
///
/// @param deferSelection whether nothing is decided before End-of-RIB: after a restart (RFC 4724
///   §4.1)
/// @param trackNextHops whether somebody says which next hops can be reached; otherwise all can
/// @param seed a secret number of the process: keeps others from choosing prefixes that collide
public record RibSettings(
    DecisionRules rules, boolean deferSelection, boolean trackNextHops, long seed) {}
