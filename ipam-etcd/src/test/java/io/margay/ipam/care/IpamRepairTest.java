package io.margay.ipam.care;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.datastore.InMemoryDatastore;
import io.margay.datastore.KeyValue;
import io.margay.ipam.IpamKeys;
import io.margay.model.net.IpAddress;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class IpamRepairTest {

  private final InMemoryDatastore store = new InMemoryDatastore();

  @AfterEach
  void close() {
    store.close();
  }

  static Stream<Arguments> damages() {
    return Stream.of(Damage.values())
        .flatMap(damage -> Stream.of(1L, 2L, 3L).map(seed -> Arguments.of(damage, seed)));
  }

  @Test
  void sound_state_has_no_findings_and_repair_writes_nothing() throws Exception {
    Cluster cluster = Cluster.of(store, 3, 20);
    long revision = store.revision();

    assertThat(cluster.check().findings()).isEmpty();
    assertThat(cluster.repair().repaired()).isEmpty();
    assertThat(store.revision()).isEqualTo(revision);
  }

  @ParameterizedTest(name = "{0}, seed {1}")
  @MethodSource("damages")
  void every_damage_is_found_explained_and_repaired_once(Damage damage, long seed)
      throws Exception {
    Cluster cluster = Cluster.of(store, 2, 6);
    damage.inflict(cluster, new Random(seed));

    List<Finding> findings = cluster.check().findings();
    assertThat(findings).extracting(Finding::kind).contains(damage.finding);
    assertThat(findings)
        .allSatisfy(
            finding -> {
              assertThat(finding.object()).isNotEmpty();
              assertThat(finding.detail()).isNotEmpty();
              assertThat(finding.remedy()).isNotEmpty();
              assertThat(finding.remedy().startsWith("none")).isEqualTo(finding.fix().isEmpty());
            });

    IpamRepair.Outcome outcome = cluster.repair();
    assertThat(outcome.overtaken()).isZero();
    if (damage.isRepairable) {
      assertThat(outcome.repaired()).extracting(Finding::kind).contains(damage.finding);
      assertThat(outcome.left()).extracting(Finding::kind).doesNotContain(damage.finding);
    } else {
      assertThat(outcome.left()).extracting(Finding::kind).contains(damage.finding);
    }
    assertThat(outcome.left()).allMatch(finding -> finding.fix().isEmpty());

    long revision = store.revision();
    assertThat(cluster.repair().repaired()).isEmpty();
    assertThat(store.revision()).isEqualTo(revision);
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {11, 12, 13, 14, 15, 16, 17, 18, 19, 20})
  void many_damages_at_once_are_repaired_and_no_pod_loses_its_address(long seed) throws Exception {
    Cluster cluster = Cluster.of(store, 4, 12);
    Map<IpAddress, String> before = cluster.held();
    Random random = new Random(seed);
    List<Damage> repairable =
        Stream.of(Damage.values())
            .filter(damage -> damage.isRepairable)
            .filter(damage -> damage != Damage.A_HOLDER_FORGOTTEN)
            .toList();
    for (int i = 0; i < 12; i++) {
      Damage damage = repairable.get(random.nextInt(repairable.size()));
      try {
        damage.inflict(cluster, random);
      } catch (IllegalArgumentException unreadable) {
        // The damage before it left nothing to damage this way.
      }
    }

    IpamRepair.Outcome outcome = cluster.repair();

    assertThat(outcome.left()).as("seed %d", seed).isEmpty();
    Map<IpAddress, String> after = new TreeMap<>(cluster.held());
    assertThat(after).containsAllEntriesOf(before).hasSameSizeAs(before);
  }

  @Test
  void what_changes_between_two_looks_is_left_alone() throws Exception {
    Cluster cluster = Cluster.of(store, 2, 4);
    Damage.A_HANDLE_COUNTING_TOO_MANY.inflict(cluster, new Random(5));
    KeyValue handle =
        store.list(IpamKeys.HANDLES).items().stream()
            .filter(item -> item.value().contains(":3"))
            .findFirst()
            .orElseThrow();
    int[] looks = {0};
    IpamRepair repair =
        new IpamRepair(
            store,
            () -> {
              // Somebody works on it all the time.
              if (looks[0]++ < 40) {
                cluster.put(handle.key(), handle.value());
              }
              return IpamState.read(store);
            },
            () -> Cluster.BIRTH,
            _ -> {});

    IpamRepair.Outcome outcome = repair.run(_ -> {});

    assertThat(outcome.repaired()).isEmpty();
    assertThat(outcome.left()).extracting(Finding::kind).contains(FindingKind.HANDLE_MISCOUNTS);
  }

  @Test
  void a_repair_that_somebody_overtakes_does_nothing() throws Exception {
    Cluster cluster = Cluster.of(store, 2, 4);
    Damage.A_HANDLE_COUNTING_TOO_MANY.inflict(cluster, new Random(5));
    IpamState stale = IpamState.read(store);
    KeyValue handle =
        store.list(IpamKeys.HANDLES).items().stream()
            .filter(item -> item.value().contains(":3"))
            .findFirst()
            .orElseThrow();
    cluster.put(handle.key(), handle.value().replace(":3", ":4"));
    long revision = store.revision();

    IpamRepair.Outcome outcome =
        new IpamRepair(store, () -> stale, () -> Cluster.BIRTH, _ -> {}).run(_ -> {});

    assertThat(outcome.repaired()).isEmpty();
    assertThat(outcome.overtaken()).isPositive();
    assertThat(store.revision()).isEqualTo(revision);
  }
}
