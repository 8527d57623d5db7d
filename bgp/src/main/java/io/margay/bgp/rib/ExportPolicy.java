package io.margay.bgp.rib;

import io.margay.bgp.message.AsPath;
import io.margay.bgp.message.PathAttribute;
import io.margay.bgp.message.PathAttributes;
import io.margay.model.net.Asn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import java.util.Map;
import java.util.Optional;

/// What a peer is told of a decision. Routes of others are never passed on: a node is no transit.
///
/// @param localAsn our AS
/// @param external whether the peer is in another AS
/// @param own whether the peer is told our own routes
/// @param nextHops what to announce as next hop per family; a family without one is not announced
record ExportPolicy(
    Asn localAsn, boolean external, boolean own, Map<IpFamily, IpAddress> nextHops) {

  /// LOCAL_PREF goes to internal peers only, and must (RFC 4271 §5.1.5).
  private static final PathAttribute LOCAL_PREF = new PathAttribute.LocalPref(100);

  Optional<Advertisement> export(IpFamily family, Decision decision) {
    IpAddress nextHop = nextHops.get(family);
    if (!own || nextHop == null) {
      return Optional.empty();
    }
    return switch (decision.best()) {
      case Path.Learned _ -> Optional.empty();
      case Path.Local(PathAttributes attributes) -> {
        AsPath path = external ? attributes.asPath().prepend(localAsn) : attributes.asPath();
        PathAttributes told = attributes.with(new PathAttribute.AsPathAttribute(path));
        yield Optional.of(new Advertisement(external ? told : told.with(LOCAL_PREF), nextHop));
      }
    };
  }
}
