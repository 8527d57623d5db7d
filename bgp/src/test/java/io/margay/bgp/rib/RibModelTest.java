package io.margay.bgp.rib;

import org.junit.jupiter.api.Test;

/// The RIBs against a naive model of maps, over random sequences of all that can happen to them.
class RibModelTest {

  private static final int SEEDS = 150;

  @Test
  void whatever_happens_the_tables_hold_what_maps_would_hold() {
    Long only = Long.getLong("seed");
    for (long seed = only == null ? 1 : only; seed <= (only == null ? SEEDS : only); seed++) {
      try {
        new RibModel(seed).run();
      } catch (RuntimeException | AssertionError failed) {
        throw new AssertionError("seed " + seed + " (again: -Dseed=" + seed + ")", failed);
      }
    }
  }
}
