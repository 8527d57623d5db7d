package io.margay.ipam;

import io.margay.model.net.IpAddress;

/// Addresses that pods of this node have, whatever the store says: one that was restored from a
/// backup knows nothing of pods wired since, and calls what they have free.
@FunctionalInterface
public interface LiveAddresses {

  /// Whoever has no pods of its own: the store's word is enough.
  LiveAddresses NONE = (_, _) -> false;

  /// Whether a pod has `address` by another handle than `handleId`. Asked on the committing thread,
  /// for each free address that is about to be given; never blocks.
  boolean isOfAnother(IpAddress address, String handleId);
}
