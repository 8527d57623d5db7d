/// **For**: the `Datastore` port on a real etcd.
///
/// **In → out**: port calls → etcd's gRPC API; its answers, statuses and watch responses → the
/// port's values.
///
/// **Loop**: callers' threads block; watch listeners run on the client's one event loop and must
/// not block it.
///
/// **May touch**: `datastore`, jetcd, gRPC, the network. Knows nothing of what the keys mean.
@NullMarked
package io.margay.datastore.etcd;

import org.jspecify.annotations.NullMarked;
