/// **For**: which route wins and why, and what each peer is told.
///
/// **In → out**: decoded UPDATEs, own routes → {@link io.margay.bgp.rib.RibDelta}, packed UPDATEs.
///
/// **Loop**: `bgp-rib` owns every instance.
///
/// **May touch**: `bgp.message`, `model.net`. No clock, no IO.
@NullMarked
package io.margay.bgp.rib;

import org.jspecify.annotations.NullMarked;
