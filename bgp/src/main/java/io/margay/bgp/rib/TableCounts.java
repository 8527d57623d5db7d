package io.margay.bgp.rib;

/// How large the table of a family is.
///
/// @param prefixes known, with a winner or without
/// @param paths of all peers and our own
/// @param best prefixes with a winner
/// @param originated our own prefixes
public record TableCounts(int prefixes, int paths, int best, int originated) {}
