package io.margay.bgp.rib;

import io.margay.bgp.message.PathAttributes;
import io.margay.model.net.IpAddress;

/// One way to reach a prefix.
public sealed interface Path {

  /// Without NEXT_HOP: that is part of the path itself, whatever attribute carried it.
  PathAttributes attributes();

  /// A prefix of our own.
  record Local(PathAttributes attributes) implements Path {}

  /// A route of a peer.
  ///
  /// @param stale kept for a peer that is restarting (RFC 4724 §4.2)
  record Learned(RibPeer from, PathAttributes attributes, IpAddress nextHop, boolean stale)
      implements Path {

    Learned asStale() {
      return new Learned(from, attributes, nextHop, true);
    }
  }
}
