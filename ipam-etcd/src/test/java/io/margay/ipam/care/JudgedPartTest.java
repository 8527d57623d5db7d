package io.margay.ipam.care;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.datastore.InMemoryDatastore;
import io.margay.datastore.KeyValue;
import io.margay.ipam.IpamKeys;
import io.margay.ipam.care.GarbageVerdict.Outcome;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// What an agent reads says what everything would have said.
class JudgedPartTest {

  private static final int SEEDS = 4;

  private final InMemoryDatastore store = new InMemoryDatastore();
  private Cluster cluster;

  @BeforeEach
  void build() throws Exception {
    cluster = Cluster.of(store, 4, 6);
  }

  @AfterEach
  void close() {
    store.close();
  }

  static Stream<Arguments> damages() {
    return Stream.of(Damage.values())
        .flatMap(
            damage ->
                Stream.iterate(0, seed -> seed + 1)
                    .limit(SEEDS)
                    .map(seed -> Arguments.of(damage, seed)));
  }

  @ParameterizedTest(name = "{0}, seed {1}")
  @MethodSource("damages")
  void is_judged_as_everything_is(Damage damage, int seed) throws Exception {
    Random random = new Random(seed);
    damage.inflict(cluster, random);
    if (seed % 2 == 1) {
      cluster.deleteNode("n" + random.nextInt(4));
    }
    for (boolean judgesVanished : List.of(true, false)) {
      for (int node = 0; node < 4; node++) {
        compare("n" + node, judgesVanished);
      }
    }
  }

  private void compare(String node, boolean judgesVanished) throws Exception {
    GarbageRole role =
        new GarbageRole(
            Optional.of(
                new NodeWitness(node, Set.of(Cluster.handle("p0x0")), Set.of(), Set.of(), true)),
            judgesVanished,
            Set.of());
    GarbageLedger ofAll = GarbageLedger.EMPTY;
    GarbageLedger ofPart = GarbageLedger.EMPTY;
    Instant now = Cluster.BIRTH;
    for (int look = 0; look < 3; look++) {
      GarbageDecision.Result all =
          GarbageDecision.decide(
              IpamState.of(cluster.everything()), role, ofAll, GarbageLimits.DEFAULT, now);
      GarbageDecision.Result part =
          GarbageDecision.decide(
              part(node, judgesVanished), role, ofPart, GarbageLimits.DEFAULT, now);
      assertThat(unusual(part)).isEqualTo(unusual(all));
      assertThat(part.emptyBlocks()).isEqualTo(all.emptyBlocks());
      assertThat(part.goneNodes()).isEqualTo(all.goneNodes());
      assertThat(part.ledger()).isEqualTo(all.ledger());
      ofAll = all.ledger();
      ofPart = part.ledger();
      now = now.plus(GarbageLimits.DEFAULT.grace());
    }
  }

  private IpamState part(String node, boolean judgesVanished) throws Exception {
    return JudgedPart.read(each -> cluster.everything().forEach(each), node, judgesVanished);
  }

  private static List<GarbageVerdict> unusual(GarbageDecision.Result result) {
    return result.verdicts().stream().filter(verdict -> verdict.outcome() != Outcome.KEEP).toList();
  }

  @Test
  void other_nodes_are_passed_over() throws Exception {
    IpamState part = part("n0", false);
    assertThat(part.blocks.values()).isNotEmpty().allMatch(block -> block.value().isAffineTo("n0"));
    assertThat(part.uses).hasSize(12);
    assertThat(part("n0", true).blocks.keySet()).isEqualTo(part.blocks.keySet());
  }

  @Test
  void an_address_borrowed_of_another_node_is_seen_and_so_is_who_uses_it() throws Exception {
    KeyValue block =
        cluster.blocks().stream()
            .filter(item -> cluster.block(item).isAffineTo("n1"))
            .findFirst()
            .orElseThrow();
    cluster.put(block.key(), block.value().replaceFirst("\"node\":\"n1\"", "\"node\":\"n0\""));
    Prefix borrowed = IpamKeys.blockOf(block.key()).orElseThrow();
    IpamState part = part("n0", false);
    assertThat(part.blocks).containsKey(borrowed);
    assertThat(part.uses.keySet()).anyMatch(borrowed::contains);
  }

  @Test
  void documents_of_other_hands_are_read_in_full() throws Exception {
    List<IpAddress> used = new ArrayList<>(part("n0", false).uses.keySet());
    for (KeyValue item : cluster.everything()) {
      if (item.key().startsWith(IpamState.ENDPOINTS) || IpamKeys.blockOf(item.key()).isPresent()) {
        cluster.put(item.key(), item.value().replace("\":", "\": ").replace("\",\"", "\" , \""));
      }
    }
    assertThat(part("n0", false).blocks.keySet()).isEqualTo(IpamState.read(store).blocks.keySet());
    assertThat(part("n0", false).uses.keySet()).containsAll(used);
  }
}
