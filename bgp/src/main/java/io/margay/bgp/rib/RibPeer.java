package io.margay.bgp.rib;

import io.margay.bgp.policy.PeerPolicy;
import io.margay.model.net.IpFamily;
import java.util.Set;

/// What is wanted with a peer, session or not.
///
/// @param families what should be exchanged: End-of-RIB of these is waited for after a restart
public record RibPeer(Set<IpFamily> families, PeerPolicy policy) {
  public RibPeer {
    families = Set.copyOf(families);
  }
}
