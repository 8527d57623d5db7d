package io.margay.cli.policy;

import io.margay.model.net.IpAddress;
import java.util.List;
import java.util.Set;

/// Addresses for pods that have none yet, of the ranges that are kept for benchmarks (RFC 2544, RFC
/// 5180) and so of nobody's network.
final class SpareAddresses {

  private static final IpAddress IPV4 = IpAddress.parse("198.18.0.0");
  private static final IpAddress IPV6 = IpAddress.parse("2001:2::");

  private final Set<IpAddress> taken;
  private int last;

  /// @param taken addresses that are somebody's
  SpareAddresses(Set<IpAddress> taken) {
    this.taken = taken;
  }

  /// One of each family.
  List<IpAddress> next() {
    while (true) {
      last++;
      List<IpAddress> both = List.of(IPV4.plus(last), IPV6.plus(last));
      if (both.stream().noneMatch(taken::contains)) {
        return both;
      }
    }
  }
}
