package io.margay.bgp.rib;

/// Whether and how a next hop can be reached.
public sealed interface Reachability {

  /// @param metric what the way there costs, as BGP compares it (RFC 4271 §9.1.2.2 e); 0 for a
  ///   neighbour on a connected network
  record Reachable(long metric) implements Reachability {
    public Reachable {
      if (metric < 0 || metric == Long.MAX_VALUE) {
        throw new IllegalArgumentException("metric " + metric + " is out of range");
      }
    }
  }

  /// Paths over it are not considered (RFC 4271 §9.1.2).
  record Unreachable() implements Reachability {}
}
