package io.margay.bgp.speaker;

import io.margay.bgp.message.RouteAttributes;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import java.util.List;

/// A route as a peer was told it.
///
/// @param pathId where the peer is told several paths to a prefix (RFC 7911); otherwise 0
public record AdvertisedStatus(Prefix prefix, int pathId, RouteAttributes route) {

  public IpAddress nextHop() {
    return route.nextHop().address();
  }

  /// As text.
  public String asPath() {
    return route.attributes().asPath().toString();
  }

  /// As text, of all kinds.
  public List<String> communities() {
    return RouteReports.communities(route.attributes());
  }
}
