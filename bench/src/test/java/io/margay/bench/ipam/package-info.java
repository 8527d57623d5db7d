/// **For**: what an address costs, ours and by Calico's steps, on one etcd in one run.
///
/// **In → out**: a directory → a table on standard output.
///
/// **Loop**: virtual threads as callers.
///
/// **May touch**: everything; nothing depends on it.
@NullMarked
package io.margay.bench.ipam;

import org.jspecify.annotations.NullMarked;
