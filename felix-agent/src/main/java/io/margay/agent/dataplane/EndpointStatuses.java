package io.margay.agent.dataplane;

import io.margay.agent.dataplane.EndpointStatusListener.Status;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;

/// Tells what has changed of the status of every endpoint of a kind. Owned by the dataplane loop.
///
/// @param <K> identifies one
final class EndpointStatuses<K> {

  private final BiConsumer<K, Status> changed;
  private final Consumer<K> gone;
  private final Map<K, Status> told = new HashMap<>();
  private final Set<K> unsettled = new HashSet<>();

  EndpointStatuses(BiConsumer<K, Status> changed, Consumer<K> gone) {
    this.changed = changed;
    this.gone = gone;
  }

  /// It is to change; until the kernel has taken that, it is what it was.
  void changing(K endpoint) {
    unsettled.add(endpoint);
  }

  /// The kernel refused the last batch: nobody knows how far endpoints of that batch got.
  void refused() {
    unsettled.forEach(endpoint -> tell(endpoint, Status.ERROR));
  }

  /// The kernel holds all rules.
  void settled(Set<K> present, Function<K, Status> status) {
    unsettled.clear();
    for (K endpoint : Set.copyOf(told.keySet())) {
      if (!present.contains(endpoint)) {
        told.remove(endpoint);
        gone.accept(endpoint);
      }
    }
    present.forEach(endpoint -> tell(endpoint, status.apply(endpoint)));
  }

  private void tell(K endpoint, Status status) {
    if (told.put(endpoint, status) != status) {
      changed.accept(endpoint, status);
    }
  }
}
