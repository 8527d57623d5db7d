package io.margay.bgp.speaker;

import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.model.net.ScopedAddress;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// A link of this node, as far as next hops depend on it (RFC 4271 §5.1.3, RFC 2545 §3).
///
/// @param name absent: the link is not known
/// @param addresses own addresses on it
record LocalLink(@Nullable InterfaceName name, List<Own> addresses) {

  /// Nothing is known.
  static final LocalLink UNKNOWN = new LocalLink(null, List.of());

  /// @param subnet everybody on the link
  record Own(IpAddress address, Prefix subnet) {}

  LocalLink {
    addresses = List.copyOf(addresses);
  }

  /// The first address of a family that others can use as a next hop.
  Optional<IpAddress> global(IpFamily family) {
    return addresses.stream()
        .map(Own::address)
        .filter(
            address ->
                address.family() == family
                    && !address.isLinkLocal()
                    && !address.isLoopback()
                    && !address.isMulticast())
        .min(Comparator.naturalOrder());
  }

  Optional<IpAddress> linkLocal() {
    return addresses.stream()
        .map(Own::address)
        .filter(address -> address.family() == IpFamily.IPV6 && address.isLinkLocal())
        .min(Comparator.naturalOrder());
  }

  /// The subnets of the link if the peer is on it, else none: across a router nothing is shared.
  Set<Prefix> sharedWith(ScopedAddress peer) {
    boolean onLink = peer.scope() != null;
    Set<Prefix> subnets = new HashSet<>();
    for (Own own : addresses) {
      onLink |= own.subnet().contains(peer.address());
      subnets.add(own.subnet());
    }
    return onLink ? subnets : Set.of();
  }
}
