/// **For**: what may be learned from a peer and what it may be told, and in which words.
///
/// **In → out**: a route as received, or as chosen → the route to keep or to announce, or the
/// reason why not.
///
/// **Loop**: none; pure functions of immutable values.
///
/// **May touch**: `bgp.message`, `model.net`. No clock, no IO, no RIB.
@NullMarked
package io.margay.bgp.policy;

import org.jspecify.annotations.NullMarked;
