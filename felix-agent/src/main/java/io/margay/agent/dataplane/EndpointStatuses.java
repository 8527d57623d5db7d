package io.margay.agent.dataplane;

import io.margay.agent.dataplane.EndpointStatusListener.Status;
import io.margay.policy.EndpointKey;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/// Tells a listener what has changed of every pod's status. Owned by the dataplane loop.
final class EndpointStatuses {

  private final EndpointStatusListener listener;
  private final Map<EndpointKey, Status> told = new HashMap<>();
  private final Set<EndpointKey> unsettled = new HashSet<>();

  EndpointStatuses(EndpointStatusListener listener) {
    this.listener = listener;
  }

  /// The pod is to change; until the kernel has taken that, it is what it was.
  void changing(EndpointKey endpoint) {
    unsettled.add(endpoint);
  }

  /// The kernel refused the last batch: nobody knows how far pods of that batch got.
  void refused() {
    unsettled.forEach(endpoint -> tell(endpoint, Status.ERROR));
  }

  /// The kernel holds all rules.
  void settled(Set<EndpointKey> present, Function<EndpointKey, Status> status) {
    unsettled.clear();
    for (EndpointKey endpoint : Set.copyOf(told.keySet())) {
      if (!present.contains(endpoint)) {
        told.remove(endpoint);
        listener.onGone(endpoint);
      }
    }
    present.forEach(endpoint -> tell(endpoint, status.apply(endpoint)));
  }

  private void tell(EndpointKey endpoint, Status status) {
    if (told.put(endpoint, status) != status) {
      listener.onStatus(endpoint, status);
    }
  }
}
