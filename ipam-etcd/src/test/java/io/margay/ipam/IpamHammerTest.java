package io.margay.ipam;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.datastore.CommitResult;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.InMemoryDatastore;
import io.margay.datastore.Txn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// `-Dseed=` replays one draw; what threads make of it may differ.
class IpamHammerTest {

  private static Pools pools(int v4Length) {
    return Pools.of(
        Pool.of("v4", new Prefix(IpAddress.parse("10.8.0.0"), v4Length), 28),
        Pool.of("v6", Prefix.parse("fd00:8::/112"), 124));
  }

  /// Roomy: every node finds blocks. Tight: fewer blocks than nodes, so that most addresses are
  /// borrowed, and empty blocks change hands.
  @ParameterizedTest(name = "{0}, seed {8}")
  @CsvSource({
    "roomy calm, 22, 0, 0, 0, 0, 0, 0, 1",
    "roomy with conflicts, 22, 0, 0, 0.2, 0, 0, 0, 2",
    "roomy with lost answers, 22, 0, 0, 0.1, 0.1, 0, 0, 3",
    "tight with conflicts and lost answers, 24, 0, 0, 0.1, 0.05, 0, 0, 4",
    "roomy with deaths and twins, 22, 0, 3, 0.1, 0.02, 0.02, 0.3, 5",
    "roomy with Calico beside, 22, 6, 3, 0.1, 0.02, 0.02, 0.2, 6",
    "tight with Calico beside, 24, 6, 3, 0.1, 0.02, 0.02, 0.2, 7",
    "roomy half Calico, 22, 10, 2, 0, 0, 0.05, 0.2, 8"
  })
  void no_address_is_live_twice_and_none_leaks(
      String name,
      int v4Length,
      int calico,
      int removed,
      double conflicts,
      double losses,
      double deaths,
      double twins,
      long drawn)
      throws Exception {
    long seed = Long.getLong("seed", drawn);
    try (InMemoryDatastore store = new InMemoryDatastore()) {
      IpamHammer.Shape shape =
          new IpamHammer.Shape(20, calico, removed, 10, 3, conflicts, losses, deaths, twins);
      IpamHammer hammer = new IpamHammer(store, pools(v4Length), shape, seed);
      hammer.run(_ -> store);
      hammer.verify();
      assertThat(hammer.assigned).as(name).hasValue(600);
      assertThat(hammer.liveCount())
          .isEqualTo(2 * (hammer.assigned.get() - hammer.released.get()))
          .isPositive();
      if (losses > 0) {
        assertThat(hammer.failed.get()).isPositive();
      }
      if (deaths > 0) {
        assertThat(hammer.deaths.get()).isPositive();
      }
    }
  }

  /// The hammer itself is tested: a writer that leaves out the conditions on one kind of key is
  /// caught.
  @ParameterizedTest
  @ValueSource(strings = {IpamKeys.BLOCKS, IpamKeys.HANDLES})
  void a_writer_without_compare_and_swap_is_caught(String unguarded) throws Exception {
    int caught = 0;
    for (long seed = 1; seed <= 3; seed++) {
      try (InMemoryDatastore store = new InMemoryDatastore()) {
        IpamHammer hammer =
            new IpamHammer(
                store, pools(22), new IpamHammer.Shape(8, 0, 0, 10, 3, 0.1, 0, 0, 0.8), seed);
        hammer.run(_ -> new Unguarded(store, unguarded));
        hammer.verify();
      } catch (AssertionError | ExecutionException found) {
        caught++;
      }
    }
    assertThat(caught).as("seeds of 3 that showed it").isPositive();
  }

  /// Commits without the conditions on keys of one kind.
  private static final class Unguarded extends ForwardingDatastore {
    private final String prefix;

    Unguarded(Datastore real, String prefix) {
      super(real);
      this.prefix = prefix;
    }

    @Override
    public CommitResult commit(Txn txn) throws DatastoreException {
      return super.commit(
          new Txn(
              txn.conditions().stream()
                  .filter(condition -> !condition.key().startsWith(prefix))
                  .toList(),
              txn.writes()));
    }
  }
}
