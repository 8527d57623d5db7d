/// **For**: the running speaker: sessions, timers, sockets and the loops that own them.
///
/// **In → out**: desired peers, own prefixes, bytes from peers → UPDATEs, FIB changes, status
/// snapshots.
///
/// **Loop**: `bgp-io` owns connections and timers, `bgp-rib` owns every RIB; others post or read
/// snapshots.
///
/// **May touch**: the other `bgp` rooms, Netty, SLF4J. No policy decisions, no kernel routes.
@NullMarked
package io.margay.bgp.speaker;

import org.jspecify.annotations.NullMarked;
