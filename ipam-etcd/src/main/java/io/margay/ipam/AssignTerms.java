package io.margay.ipam;

import io.margay.model.resource.PoolUse;
import java.util.Optional;

/// What the addresses of a request are for, and how many blocks they may cost.
///
/// @param use which pools' `allowedUses` must contain it
/// @param namespace the pod's, for pools with a namespaceSelector; a pool that has one is not used
///   without
/// @param maxBlocks most blocks of a family the node may own after this request; 0 leaves it to the
///   cluster's settings, and the lower of both counts
/// @param forReserve only what the handle holds in the named pools counts as held, and nothing is
///   borrowed
public record AssignTerms(
    PoolUse use, Optional<String> namespace, int maxBlocks, boolean forReserve) {

  /// For a pod whose namespace is not known.
  public static final AssignTerms WORKLOAD = new AssignTerms(PoolUse.WORKLOAD, Optional.empty(), 0);

  public AssignTerms {
    if (maxBlocks < 0) {
      throw new IllegalArgumentException("maxBlocks " + maxBlocks + " is below 0");
    }
  }

  public AssignTerms(PoolUse use, Optional<String> namespace, int maxBlocks) {
    this(use, namespace, maxBlocks, false);
  }

  /// For a pod.
  public static AssignTerms pod(String namespace) {
    return new AssignTerms(PoolUse.WORKLOAD, Optional.of(namespace), 0);
  }

  /// For a tunnel device or a service.
  public static AssignTerms of(PoolUse use) {
    return new AssignTerms(use, Optional.empty(), 0);
  }
}
