package io.margay.bgp.rib;

import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// What one peer told us, with the verdict of the import policy (RFC 4271 §3.2).
final class AdjRibIn {

  /// @param rejected absent: accepted
  record Received(Path.Learned path, @Nullable RejectReason rejected) {}

  private final Map<Prefix, Received> routes = new HashMap<>();

  void put(Prefix prefix, Received received) {
    routes.put(prefix, received);
  }

  /// Whether there was such a route.
  boolean remove(Prefix prefix) {
    return routes.remove(prefix) != null;
  }

  Optional<Received> find(Prefix prefix) {
    return Optional.ofNullable(routes.get(prefix));
  }

  /// A copy, safe to change the table under.
  List<Prefix> prefixes() {
    return new ArrayList<>(routes.keySet());
  }

  List<Prefix> stale(IpFamily family) {
    List<Prefix> stale = new ArrayList<>();
    routes.forEach(
        (prefix, received) -> {
          if (prefix.family() == family && received.path().stale()) {
            stale.add(prefix);
          }
        });
    return stale;
  }

  Counts count(IpFamily family) {
    int received = 0;
    int accepted = 0;
    int stale = 0;
    for (Map.Entry<Prefix, Received> route : routes.entrySet()) {
      if (route.getKey().family() == family) {
        received++;
        accepted += route.getValue().rejected() == null ? 1 : 0;
        stale += route.getValue().path().stale() ? 1 : 0;
      }
    }
    return new Counts(received, accepted, stale);
  }

  record Counts(int received, int accepted, int stale) {}
}
