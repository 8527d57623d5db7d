/// **For**: worlds to try the policy computation on: built by hand or drawn from a seed.
///
/// **In → out**: a seed → resources and changes of them; policy updates → complaints about their
/// order.
///
/// **Loop**: none.
///
/// **May touch**: `model`, `policy`. No clock, no IO.
@NullMarked
package io.margay.policy.testing;

import org.jspecify.annotations.NullMarked;
