package io.margay.bgp.rib;

import io.margay.model.net.IpFamily;
import java.util.Set;

/// What is wanted with a peer, session or not.
///
/// @param families what should be exchanged
/// @param accept whether its routes are considered
/// @param exportOwn whether it is told our routes
public record PeerPolicy(Set<IpFamily> families, boolean accept, boolean exportOwn) {
  public PeerPolicy {
    families = Set.copyOf(families);
  }
}
