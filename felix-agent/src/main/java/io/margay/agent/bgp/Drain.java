package io.margay.agent.bgp;

import io.margay.bgp.policy.ExportMode;
import io.margay.bgp.policy.PeerPolicy;
import io.margay.bgp.policy.RouteFilter;
import io.margay.bgp.speaker.PeerConfig;
import io.margay.bgp.speaker.PeerStatus;
import java.util.List;
import java.util.Optional;

/// What an order to drain makes of peers: pure.
final class Drain {

  private Drain() {}

  /// The same peers, told nothing; what they tell is taken as before.
  static List<PeerConfig> silenced(List<PeerConfig> peers) {
    return peers.stream().map(Drain::silenced).toList();
  }

  private static PeerConfig silenced(PeerConfig peer) {
    PeerPolicy policy =
        peer.policy().toBuilder()
            .exportMode(ExportMode.NONE)
            .filters(peer.policy().filters().stream().map(Drain::importOnly).toList())
            .build();
    return peer.toBuilder().policy(policy).build();
  }

  private static RouteFilter importOnly(RouteFilter filter) {
    return new RouteFilter(
        filter.name(), List.of(), filter.importV4(), List.of(), filter.importV6());
  }

  /// How far it is.
  ///
  /// @param withdrawn whether routes are to be withdrawn by now
  static DrainState state(Optional<DrainOrder> order, boolean withdrawn, List<PeerStatus> peers) {
    if (order.isEmpty()) {
      return DrainState.NONE;
    }
    if (!withdrawn) {
      return DrainState.MARKED;
    }
    boolean silent =
        peers.stream()
            .flatMap(peer -> peer.families().values().stream())
            .allMatch(family -> family.prefixesAdvertised() == 0 && family.prefixesToTell() == 0);
    return silent ? DrainState.DRAINED : DrainState.WITHDRAWING;
  }
}
