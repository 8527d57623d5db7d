package io.margay.bgp.rib;

import io.margay.bgp.policy.ExportPolicy;
import io.margay.bgp.policy.ImportPolicy;
import io.margay.bgp.policy.RouteSource;
import io.margay.model.net.IpFamily;
import io.margay.model.net.ScopedAddress;
import org.jspecify.annotations.Nullable;

/// One peer as the RIBs know it: what is wanted, the session if there is one, and the state of each
/// family.
final class PeerRibs {

  final ScopedAddress address;

  /// What paths of the peer are marked with.
  final int number;

  RibPeer wanted;
  @Nullable RibSession session;

  /// Of the last session: routes kept over a restart came from it.
  @Nullable RouteSource source;

  /// Another for each source of each peer; 0: none yet.
  int sourceNumber;

  @Nullable ImportPolicy importPolicy;
  @Nullable ExportPolicy exportPolicy;

  /// Even, and another for each policy of each peer.
  private int exportNumber;

  private final PeerFamily ipv4 = new PeerFamily();
  private final PeerFamily ipv6 = new PeerFamily();

  PeerRibs(ScopedAddress address, int number, RibPeer wanted) {
    this.address = address;
    this.number = number;
    this.wanted = wanted;
  }

  PeerFamily family(IpFamily family) {
    return switch (family) {
      case IPV4 -> ipv4;
      case IPV6 -> ipv6;
    };
  }

  /// @param number even, given to no other policy
  void exportWith(ExportPolicy policy, int number) {
    exportPolicy = policy;
    exportNumber = number;
  }

  /// Names what export policy does to routes of a family; never 0.
  int exportNumber(IpFamily family) {
    return switch (family) {
      case IPV4 -> exportNumber;
      case IPV6 -> exportNumber + 1;
    };
  }

  boolean exchanges(IpFamily family) {
    RibSession up = session;
    return up != null && up.families().contains(family);
  }

  /// Whether nothing more is awaited from the peer before routes of the family are selected. A peer
  /// that is not up yet is awaited.
  boolean allowsSelection(IpFamily family) {
    RibSession up = session;
    return isComplete(family) || up != null && up.unawaited();
  }

  /// Whether the peer has told all it has of the family: what it did not name may be swept. A peer
  /// that says it is restarting has yet to tell, and some say so for minutes after their start.
  boolean isComplete(IpFamily family) {
    if (!wanted.families().contains(family)) {
      return true;
    }
    RibSession up = session;
    return up != null && (!up.families().contains(family) || family(family).endOfRibReceived);
  }
}
