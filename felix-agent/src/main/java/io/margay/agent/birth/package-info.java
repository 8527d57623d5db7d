/// **For**: a node's coming into the datastore: the cluster's identity, the Node with its
/// addresses, a first pool; and what the agent changes and keeps of the machine for it: its name,
/// its kernel's settings.
///
/// **In → out**: settings, the kernel's links and addresses, what is stored → the addresses of the
/// node, and documents that are written by compare-and-swap.
///
/// **Loop**: a thread of its own, for which nothing waits.
///
/// **May touch**: `datastore`, `linux.route`, `linux.netlink`, `linux.netns`, files of the state
/// directory; the choice of addresses itself is pure.
@NullMarked
package io.margay.agent.birth;

import org.jspecify.annotations.NullMarked;
