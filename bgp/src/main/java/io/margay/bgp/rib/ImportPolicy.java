package io.margay.bgp.rib;

import io.margay.model.net.Asn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Ipv4Address;
import io.margay.model.net.Ipv6Address;
import io.margay.model.net.Prefix;
import java.util.Optional;
import java.util.Set;

/// Which received routes may be considered.
///
/// @param localAsn our AS
/// @param ownAddresses addresses of this node: never a next hop
/// @param guard own ranges, whose overlaps are refused
record ImportPolicy(Asn localAsn, Set<IpAddress> ownAddresses, Set<Prefix> guard) {
  ImportPolicy {
    ownAddresses = Set.copyOf(ownAddresses);
    guard = Set.copyOf(guard);
  }

  /// Why the route is refused; empty: it is not.
  ///
  /// @param accept whether the peer has an import policy that accepts
  Optional<RejectReason> judge(Prefix prefix, Path.Learned path, boolean accept) {
    if (!accept) {
      return Optional.of(RejectReason.NO_POLICY);
    }
    if (path.attributes().asPath().contains(localAsn)) {
      // RFC 4271 §9.1.2: "If the AS_PATH attribute of a BGP route contains an AS loop, the BGP
      // route should be excluded from the Phase 2 decision function."
      return Optional.of(RejectReason.AS_LOOP);
    }
    if (path.from().external()
        && !path.attributes().asPath().first().equals(Optional.of(path.from().asn()))) {
      return Optional.of(RejectReason.FIRST_AS);
    }
    if (!usable(path.nextHop())) {
      return Optional.of(RejectReason.NEXT_HOP);
    }
    if (prefix.length() > 0) {
      for (Prefix own : guard) {
        if (own.overlaps(prefix)) {
          return Optional.of(RejectReason.OWN_RANGE);
        }
      }
    }
    return Optional.empty();
  }

  /// A link-local next hop is of no use without its interface.
  private boolean usable(IpAddress hop) {
    boolean reserved =
        switch (hop) {
          case Ipv4Address(int value) -> value >>> 24 == 0 || value >>> 28 == 0xf;
          case Ipv6Address _ -> hop.isUnspecified();
        };
    return !reserved
        && !hop.isMulticast()
        && !hop.isLoopback()
        && !hop.isLinkLocal()
        && !ownAddresses.contains(hop);
  }
}
