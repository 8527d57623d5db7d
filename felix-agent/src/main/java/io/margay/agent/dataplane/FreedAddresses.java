package io.margay.agent.dataplane;

import io.margay.model.net.IpAddress;
import io.margay.policy.EndpointKey;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// Addresses that no endpoint of the node has any more, and whose connections are still tracked. A
/// pod that is given one of them must not inherit those.
final class FreedAddresses {

  private final Map<EndpointKey, List<IpAddress>> held = new HashMap<>();
  private final Map<IpAddress, Integer> holders = new HashMap<>();
  private final Map<IpAddress, Long> freed = new ConcurrentHashMap<>();
  private long times;

  /// Takes an endpoint of the desired state. On the dataplane loop.
  ///
  /// @param now its addresses; empty = it is gone
  /// @return freed addresses that have an owner again; they are freed no more
  List<IpAddress> onEndpoint(EndpointKey key, List<IpAddress> now) {
    List<IpAddress> before = held.getOrDefault(key, List.of());
    if (now.isEmpty()) {
      held.remove(key);
    } else {
      held.put(key, now);
    }
    List<IpAddress> reclaimed = new ArrayList<>();
    for (IpAddress address : now) {
      holders.merge(address, 1, Integer::sum);
      if (freed.remove(address) != null) {
        reclaimed.add(address);
      }
    }
    for (IpAddress address : before) {
      if (holders.merge(address, -1, (had, less) -> had + less == 0 ? null : had + less) == null) {
        freed.put(address, ++times);
      }
    }
    return reclaimed;
  }

  boolean isEmpty() {
    return freed.isEmpty();
  }

  /// Those that are freed now, and when: an address may be freed again and again. From any thread.
  Map<IpAddress, Long> now() {
    return Map.copyOf(freed);
  }

  /// Whether the address has had no owner ever since. From any thread.
  boolean isStill(IpAddress address, Long since) {
    return since.equals(freed.get(address));
  }

  /// The connections they had then are forgotten. From any thread.
  void settled(Map<IpAddress, Long> addresses) {
    addresses.forEach(freed::remove);
  }
}
