package io.margay.bgp.speaker;

import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/// A forwarding table that remembers what it should hold.
final class RecordingFib implements FibListener {

  private final SortedMap<Prefix, List<FibNextHop>> routes = new TreeMap<>();
  private final Set<IpFamily> swept = EnumSet.noneOf(IpFamily.class);

  @Override
  public synchronized void onRoutes(FibDelta delta) {
    for (FibChange change : delta.changes()) {
      switch (change) {
        case FibChange.Install(Prefix prefix, List<FibNextHop> nextHops) ->
            routes.put(prefix, nextHops);
        case FibChange.Withdraw(Prefix prefix) -> routes.remove(prefix);
      }
    }
  }

  @Override
  public synchronized void onReadyToSweep(IpFamily family) {
    if (!swept.add(family)) {
      throw new IllegalStateException(family + " is swept twice");
    }
  }

  synchronized String text() {
    return routes.toString();
  }

  synchronized Map<Prefix, List<FibNextHop>> routes() {
    return Map.copyOf(routes);
  }

  synchronized Set<IpFamily> swept() {
    return Set.copyOf(swept);
  }
}
