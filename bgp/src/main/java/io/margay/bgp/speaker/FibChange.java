package io.margay.bgp.speaker;

import io.margay.model.net.Prefix;
import java.util.List;

/// What the forwarding table should hold for one prefix.
public sealed interface FibChange {

  Prefix prefix();

  /// The prefix is reached over these next hops and no others.
  ///
  /// @param nextHops at least one, ascending, without repeats; several mean equal-cost multipath
  record Install(Prefix prefix, List<FibNextHop> nextHops) implements FibChange {
    public Install {
      nextHops = nextHops.stream().distinct().sorted().toList();
      if (nextHops.isEmpty()) {
        throw new IllegalArgumentException("route " + prefix + " has no next hop");
      }
    }
  }

  /// BGP has no route for the prefix any more.
  record Withdraw(Prefix prefix) implements FibChange {}
}
