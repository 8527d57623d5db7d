/// **For**: forgetting the tracked connections of an address that changes hands.
///
/// **In → out**: an address → the flows it takes part in, deleted.
///
/// **Loop**: none; whoever deletes opens a socket for it.
///
/// **May touch**: `io.margay.linux.netlink` (ctnetlink).
@NullMarked
package io.margay.linux.conntrack;

import org.jspecify.annotations.NullMarked;
