package io.margay.bgp.speaker;

import java.util.List;

/// Changed forwarding entries, each prefix at most once.
public record FibDelta(List<FibChange> changes) {
  public FibDelta {
    changes = List.copyOf(changes);
  }
}
