package io.margay.bgp.speaker;

import io.margay.bgp.message.Message;
import java.util.HashMap;
import java.util.Map;

/// How many messages of each type passed one way.
final class MessageCounts {

  private final Map<String, Long> counts = new HashMap<>();

  void count(Message message) {
    counts.merge(message.typeName(), 1L, Long::sum);
  }

  void countUpdates(int count) {
    counts.merge("update", (long) count, Long::sum);
  }

  Map<String, Long> snapshot() {
    return Map.copyOf(counts);
  }
}
