/// **For**: links, VXLAN devices, addresses, neighbours, forwarding entries and routes of a network
/// namespace; and the one writer of our routes and of the next-hop objects that they may be over.
///
/// **In → out**: desired state and verbs → rtnetlink messages; dumps → records.
///
/// **Loop**: a [io.margay.linux.route.Rtnetlink] and the [io.margay.linux.route.RouteTable] on it
/// belong to one thread (the dataplane's, or a CNI call's).
///
/// **May touch**: `io.margay.linux.netlink`. Only routes and next-hop objects of protocol 117 are
/// ever written.
@NullMarked
package io.margay.linux.route;

import org.jspecify.annotations.NullMarked;
