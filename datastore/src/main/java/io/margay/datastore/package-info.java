/// **For**: the datastore as the rest of Margay sees it: keys, values, compare-and-swap
/// transactions, watches; and the `Syncer` that turns them into one steady stream of changes.
///
/// **In → out**: full etcd keys and JSON text ⇄ `KeyValue`, `CommitResult`, `Change`.
///
/// **Loop**: callers' threads block in `Datastore`; a `Syncer` owns one thread and calls its
/// listener there.
///
/// **May touch**: `model`, threads, the clock, files (`SnapshotFile`). No etcd client: that is
/// `datastore.etcd`.
@NullMarked
package io.margay.datastore;

import org.jspecify.annotations.NullMarked;
