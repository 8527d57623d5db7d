package io.margay.datastore;

/// Which store answered, so that a revision is never compared with another store's.
///
/// @param cluster etcd's cluster id in hexadecimal, or a name no other store has
/// @param term etcd's election term, which never falls while a cluster lives: a lower one means
///   that the cluster was restored from a backup, even when its revision has caught up since
public record StoreId(String cluster, long term) {

  /// Whether what `later` says continues what this one said. A member that lags behind an election
  /// may answer with an older term; to list once more does no harm.
  public boolean isContinuedBy(StoreId later) {
    return cluster.equals(later.cluster) && later.term >= term;
  }
}
