/// **For**: whether the path to a peer is alive, in a fraction of a second (RFC 5880 to 5883).
///
/// **In → out**: desired sessions, control packets from peers → control packets, up and down
/// events, status snapshots.
///
/// **Loop**: `bgp-bfd` owns every session; nothing else runs on it. Others post or read snapshots.
///
/// **May touch**: `model.net`, Netty, SLF4J. Knows nothing of BGP sessions and routes.
@NullMarked
package io.margay.bgp.bfd;

import org.jspecify.annotations.NullMarked;
