package io.margay.agent.firewall;

import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/// The prefixes that no other one of a collection contains: interval sets refuse overlaps.
final class MaximalPrefixes {

  private MaximalPrefixes() {}

  /// Those of one family, ascending.
  static List<Prefix> of(Collection<Prefix> prefixes, IpFamily family) {
    List<Prefix> maximal = new ArrayList<>();
    // A container sorts before what it contains, and nothing that it does not contain in between.
    for (Prefix prefix : prefixes.stream().filter(p -> p.family() == family).sorted().toList()) {
      if (maximal.isEmpty() || !maximal.getLast().contains(prefix)) {
        maximal.add(prefix);
      }
    }
    return List.copyOf(maximal);
  }
}
