/// **For**: how fast a device may send, and sending on what a device receives.
///
/// **In → out**: token buckets and redirections → qdiscs and filters over rtnetlink; dumps →
/// records.
///
/// **Loop**: none; a [io.margay.linux.traffic.Traffic] belongs to one thread at a time.
///
/// **May touch**: `io.margay.linux.netlink`. Only devices its caller made are ever written.
@NullMarked
package io.margay.linux.traffic;

import org.jspecify.annotations.NullMarked;
