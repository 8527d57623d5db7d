/// **For**: what a BGP connection does next, and which of two connections stays.
///
/// **In → out**: state, event, configuration → next state and actions as data.
///
/// **Loop**: none; pure functions, called on `bgp-io`.
///
/// **May touch**: `bgp.message`, `model.net`. No clock, no channel, no randomness.
@NullMarked
package io.margay.bgp.fsm;

import org.jspecify.annotations.NullMarked;
