/// **For**: which policies, rules and address sets the kernel of this node needs, for which
/// endpoint.
///
/// **In → out**: resource updates → [PolicyUpdate]s, coalesced and in dependency order.
///
/// **Loop**: calc; one thread, synchronous calls.
///
/// **May touch**: `model`. No clock, no IO, no threads.
@NullMarked
package io.margay.policy;

import org.jspecify.annotations.NullMarked;
