package io.margay.agent.firewall;

import io.margay.model.net.Prefix;
import java.util.Set;

/// Which packets leave under the node's own address: those from a pool with natOutgoing to an
/// address of no pool.
///
/// @param masqueradePools pools whose addresses are not known outside
/// @param allPools every pool, where pods are reached as they are
public record NatOutgoing(Set<Prefix> masqueradePools, Set<Prefix> allPools) {

  /// Nothing is masqueraded.
  public static final NatOutgoing NONE = new NatOutgoing(Set.of(), Set.of());

  public NatOutgoing {
    masqueradePools = Set.copyOf(masqueradePools);
    allPools = Set.copyOf(allPools);
  }
}
