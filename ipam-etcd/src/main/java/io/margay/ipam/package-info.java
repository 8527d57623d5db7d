/// **For**: who has which address: Calico's blocks, affinities and handles, byte for byte as Calico
/// keeps them in etcd.
///
/// **In → out**: `AssignRequest`, releases, pools → transactions on the `Datastore`, `Assignment`,
/// `OwnBlocks`.
///
/// **Loop**: one committer thread per `Ipam` owns the cached blocks and writes for all callers;
/// `Block`, `Handle` and `OwnBlocksTracker` are pure.
///
/// **May touch**: `datastore` (the port), `model.net`, of the resources `PoolUse` alone, Jackson,
/// an injected clock; `AddressReserve` one file. No kernel, no etcd client.
@NullMarked
package io.margay.ipam;

import org.jspecify.annotations.NullMarked;
