/// **For**: TCP as BGP needs it: listeners, connections, MD5 keys, hop limits, interfaces.
///
/// **In → out**: listen addresses, expected peers, {@link io.margay.bgp.transport.Dial} → Netty
/// channels that are configured before their first octet.
///
/// **Loop**: `bgp-io`, which it starts and owns.
///
/// **May touch**: `model.net`, Netty, the kernel's socket options and
/// `/proc/thread-self/net/netstat`. Knows no messages and no sessions.
@NullMarked
package io.margay.bgp.transport;

import org.jspecify.annotations.NullMarked;
