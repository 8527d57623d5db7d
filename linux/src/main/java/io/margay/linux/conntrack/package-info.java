/// **For**: reading tracked connections, and forgetting those of an address that changes hands or
/// that policy denies.
///
/// **In → out**: addresses → the connections they take part in, told or deleted.
///
/// **Loop**: none; whoever deletes opens a socket for it.
///
/// **May touch**: `io.margay.linux.netlink` (ctnetlink).
@NullMarked
package io.margay.linux.conntrack;

import org.jspecify.annotations.NullMarked;
