package io.margay.bgp.rib;

import io.margay.model.net.IpFamily;
import java.util.EnumSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The RIBs of one configured peer and how far their synchronisation is.
final class PeerRibs {

  PeerPolicy policy;
  final AdjRibIn in = new AdjRibIn();

  /// A new one for each session.
  AdjRibOut out = new AdjRibOut();

  @Nullable RibSession session;
  final Set<IpFamily> endOfRibReceived = EnumSet.noneOf(IpFamily.class);
  final Set<IpFamily> endOfRibSent = EnumSet.noneOf(IpFamily.class);

  PeerRibs(PeerPolicy policy) {
    this.policy = policy;
  }

  /// Whether nothing more is awaited from the peer before routes of the family are selected. A peer
  /// that is not up yet is awaited; one that is restarting itself waits for us (RFC 4724 §4.1).
  boolean isComplete(IpFamily family) {
    if (!policy.families().contains(family)) {
      return true;
    }
    RibSession up = session;
    return up != null
        && (!up.families().contains(family)
            || up.restarting()
            || endOfRibReceived.contains(family));
  }
}
