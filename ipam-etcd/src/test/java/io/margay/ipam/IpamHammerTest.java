package io.margay.ipam;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.datastore.InMemoryDatastore;
import io.margay.model.net.Prefix;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class IpamHammerTest {

  /// Roomy: every node finds blocks. Tight: fewer blocks than nodes, so that most addresses are
  /// borrowed.
  @ParameterizedTest(name = "{0}, seed {4}")
  @CsvSource({
    "roomy calm, 22, 0, 0, 1",
    "roomy with conflicts, 22, 0.2, 0, 2",
    "roomy with lost answers, 22, 0.1, 0.1, 3",
    "tight with conflicts and lost answers, 24, 0.1, 0.05, 4"
  })
  void no_address_is_live_twice_and_none_leaks(
      String name, int v4Length, double conflicts, double losses, long seed) throws Exception {
    try (InMemoryDatastore store = new InMemoryDatastore()) {
      Pools pools =
          Pools.of(
              Pool.of(
                  "v4", new Prefix(io.margay.model.net.IpAddress.parse("10.8.0.0"), v4Length), 28),
              Pool.of("v6", Prefix.parse("fd00:8::/112"), 124));
      IpamHammer hammer = new IpamHammer(store, pools);
      hammer.run(
          20,
          10,
          4,
          seed,
          node -> new FaultyDatastore(store, seed * 100 + node, conflicts, losses));
      hammer.verify();
      assertThat(hammer.assigned).as(name).hasValue(800);
      assertThat(hammer.liveCount())
          .isEqualTo(2 * (hammer.assigned.get() - hammer.released.get()))
          .isPositive();
      if (losses > 0) {
        assertThat(hammer.failed.get()).isPositive();
      }
    }
  }
}
