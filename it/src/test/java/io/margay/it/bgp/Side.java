package io.margay.it.bgp;

import java.util.List;

/// What the other daemon is told to be.
///
/// @param number its router number in the lab
/// @param port where it listens
record Side(int number, long asn, int port, List<Peering> peerings, List<Origin> origins) {

  /// What the daemon originates unless a test says otherwise.
  static final String PREFIX4 = "10.99.0.0/26";

  static final String PREFIX6 = "fd00:99::/122";

  static Side of(int number, long asn, Peering... peerings) {
    return new Side(
        number, asn, 179, List.of(peerings), List.of(Origin.of(PREFIX4), Origin.of(PREFIX6)));
  }

  Side originating(Origin... wanted) {
    return new Side(number, asn, port, peerings, List.of(wanted));
  }

  Side listening(int otherPort) {
    return new Side(number, asn, otherPort, peerings, origins);
  }

  String routerId() {
    return Lab.theirs(number);
  }

  boolean gracefulRestart() {
    return peerings.stream().anyMatch(peering -> peering.gracefulRestart);
  }
}
