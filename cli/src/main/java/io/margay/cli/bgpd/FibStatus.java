package io.margay.cli.bgpd;

import io.margay.linux.route.BulkRoutes;
import io.margay.model.net.IpFamily;
import java.util.EnumMap;
import java.util.Map;

/// How far the kernel is behind the speaker.
record FibStatus(Map<IpFamily, Counts> families) {

  static final FibStatus NOTHING_YET = new FibStatus(Map.of());

  /// @param wanted routes there should be
  /// @param waiting changes not written yet
  /// @param refused changes the kernel refuses, tried again every second
  /// @param leftovers routes of an earlier process that nobody has confirmed yet
  record Counts(int wanted, int waiting, int refused, int leftovers) {}

  FibStatus {
    families = Map.copyOf(families);
  }

  static FibStatus of(BulkRoutes<?> routes) {
    Map<IpFamily, Counts> families = new EnumMap<>(IpFamily.class);
    for (IpFamily family : IpFamily.values()) {
      families.put(
          family,
          new Counts(
              routes.wanted(family),
              routes.backlog(family),
              routes.refused(family),
              routes.leftovers(family)));
    }
    return new FibStatus(families);
  }
}
