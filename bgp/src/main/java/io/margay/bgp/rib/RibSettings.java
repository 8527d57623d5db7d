package io.margay.bgp.rib;

/// What a RIB is started with.
///
/// @param deferSelection whether nothing is decided before End-of-RIB: after a restart (RFC 4724
///   §4.1)
/// @param trackNextHops whether somebody says which next hops can be reached; otherwise all can
/// @param seed a secret number of the process: keeps others from choosing prefixes that collide
/// @param deferEndOfRib whether peers are told End-of-RIB only after the others have told all: what
///   those will tell is not yet in what we told. So it is wherever selection is deferred
public record RibSettings(
    DecisionRules rules,
    boolean deferSelection,
    boolean trackNextHops,
    long seed,
    boolean deferEndOfRib) {

  /// With an End-of-RIB that follows what was decided.
  public RibSettings(
      DecisionRules rules, boolean deferSelection, boolean trackNextHops, long seed) {
    this(rules, deferSelection, trackNextHops, seed, deferSelection);
  }
}
