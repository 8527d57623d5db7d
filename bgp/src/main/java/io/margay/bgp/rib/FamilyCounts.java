package io.margay.bgp.rib;

/// Counters of one peer and family.
///
/// @param negotiated whether the current session carries the family
/// @param received routes in Adj-RIB-In, before policy
/// @param accepted of these, after policy
/// @param stale of these, kept for a restarting peer
/// @param discarded of these, kept out by the prefix limit
/// @param best prefixes whose winner came from the peer
/// @param advertised routes in Adj-RIB-Out
/// @param toTell prefixes that may have to be told and were not yet
public record FamilyCounts(
    boolean negotiated,
    int received,
    int accepted,
    int stale,
    int discarded,
    int best,
    int advertised,
    int toTell,
    boolean endOfRibReceived,
    boolean endOfRibSent) {}
