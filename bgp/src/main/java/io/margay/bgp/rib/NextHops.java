package io.margay.bgp.rib;

import io.margay.bgp.message.NextHop;
import io.margay.model.net.IpAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The next hops routes have, each once under a small number (its id), and how far away each is.
///
/// A link-local next hop is on the link of the session it came over and so as reachable as the
/// session: it has metric 0 and is not tracked.
final class NextHops {

  /// The metric of a next hop that cannot be reached.
  static final long UNREACHABLE = Long.MAX_VALUE;

  private static final class Entry {
    final IpAddress gateway;
    final int id;
    int holders;

    Entry(IpAddress gateway, int id) {
      this.gateway = gateway;
      this.id = id;
    }
  }

  private final boolean tracking;
  private final Map<IpAddress, Entry> byAddress = new HashMap<>();
  private final List<@Nullable Entry> byId = new ArrayList<>();
  private final PagedLongs metrics = new PagedLongs();
  private final IdSet free = new IdSet();
  private Map<IpAddress, Reachability> resolved = Map.of();
  private @Nullable Entry last;
  private boolean changed;

  /// @param tracking whether somebody says how far away next hops are; otherwise all have metric 0
  NextHops(boolean tracking) {
    this.tracking = tracking;
  }

  /// What packets are sent to: the global address where there is one.
  static IpAddress gateway(NextHop hop) {
    IpAddress linkLocal = hop.linkLocal();
    return linkLocal != null && hop.address().isUnspecified() ? linkLocal : hop.address();
  }

  int acquire(NextHop hop) {
    IpAddress gateway = gateway(hop);
    Entry entry = last;
    if (entry == null || !entry.gateway.equals(gateway)) {
      entry = byAddress.get(gateway);
      if (entry == null) {
        entry = add(gateway);
      }
      last = entry;
    }
    entry.holders++;
    return entry.id;
  }

  private Entry add(IpAddress gateway) {
    int id = free.takeFirst();
    if (id < 0) {
      id = byId.size();
      byId.add(null);
    }
    Entry entry = new Entry(gateway, id);
    byId.set(id, entry);
    byAddress.put(gateway, entry);
    metrics.set(id, metricOf(gateway));
    changed |= isTracked(gateway);
    return entry;
  }

  void release(int id) {
    Entry entry = byId.get(id);
    if (entry != null && --entry.holders == 0) {
      byId.set(id, null);
      byAddress.remove(entry.gateway);
      free.add(id);
      last = null;
      changed |= isTracked(entry.gateway);
    }
  }

  private boolean isTracked(IpAddress gateway) {
    return tracking && !gateway.isLinkLocal() && !gateway.isUnspecified();
  }

  private long metricOf(IpAddress gateway) {
    if (!isTracked(gateway)) {
      return 0;
    }
    Reachability known = resolved.get(gateway);
    return switch (known) {
      case null -> UNREACHABLE;
      case Reachability.Unreachable() -> UNREACHABLE;
      case Reachability.Reachable(long metric) -> metric;
    };
  }

  /// Whether every next hop can be reached at no cost, because nobody says otherwise.
  boolean areAllReachable() {
    return !tracking;
  }

  /// The IGP metric, or {@link #UNREACHABLE}.
  long metric(int id) {
    return metrics.get(id);
  }

  /// Takes over what is known of next hops.
  ///
  /// @return ids of those whose metric is another now
  IdSet resolve(Map<IpAddress, Reachability> known) {
    resolved = Map.copyOf(known);
    IdSet differing = new IdSet();
    for (Entry entry : byAddress.values()) {
      long metric = metricOf(entry.gateway);
      if (metric != metrics.get(entry.id)) {
        metrics.set(entry.id, metric);
        differing.add(entry.id);
      }
    }
    return differing;
  }

  /// Whether something is known of a next hop, be it that it can't be reached.
  boolean isAnswered(int id) {
    Entry entry = byId.get(id);
    return metric(id) != UNREACHABLE
        || entry != null && (!isTracked(entry.gateway) || resolved.containsKey(entry.gateway));
  }

  /// Whether something is known of every next hop that is tracked, be it that it can't be reached.
  boolean areAnswered() {
    return byAddress.keySet().stream()
        .allMatch(gateway -> !isTracked(gateway) || resolved.containsKey(gateway));
  }

  /// What should be tracked, once after each change of it.
  @Nullable Set<IpAddress> takeChanged() {
    if (!changed) {
      return null;
    }
    changed = false;
    Set<IpAddress> tracked = new HashSet<>();
    for (IpAddress gateway : byAddress.keySet()) {
      if (isTracked(gateway)) {
        tracked.add(gateway);
      }
    }
    return tracked;
  }
}
