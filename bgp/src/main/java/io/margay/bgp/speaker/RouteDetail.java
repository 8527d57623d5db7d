package io.margay.bgp.speaker;

import io.margay.bgp.policy.ExportVerdict;
import io.margay.model.net.ScopedAddress;
import java.util.LinkedHashMap;
import java.util.Map;

/// Everything known of one prefix.
///
/// @param exports by peer with a session, what it is told of the winner or why it is not; empty
///   without a winner
public record RouteDetail(RouteStatus route, Map<ScopedAddress, ExportVerdict> exports) {
  public RouteDetail {
    exports = new LinkedHashMap<>(exports);
  }
}
