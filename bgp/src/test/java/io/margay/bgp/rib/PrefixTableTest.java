package io.margay.bgp.rib;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.bgp.message.Nlri;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class PrefixTableTest {

  private static final long SEED = 99;

  private static Prefix random(Random random, IpFamily family) {
    int length = random.nextInt(family.bits() + 1);
    byte[] octets = new byte[family.octets()];
    random.nextBytes(octets);
    // Few distinct values, so that prefixes come back.
    for (int i = 0; i < octets.length; i++) {
      octets[i] &= (byte) (i % 3 == 0 ? 0x03 : 0xc0);
    }
    return new Prefix(IpAddress.of(octets).masked(length), length);
  }

  private static int add(PrefixTable table, Prefix prefix) {
    Nlri one = Nlri.of(prefix.family(), List.of(prefix));
    return table.findOrAdd(one.high(0), one.low(0), one.length(0));
  }

  @ParameterizedTest
  @EnumSource(IpFamily.class)
  void holds_what_a_map_would_hold_through_adds_and_removals(IpFamily family) {
    for (long seed = 1; seed <= 20; seed++) {
      Random random = new Random(seed);
      PrefixTable table = new PrefixTable(family, seed);
      Map<Prefix, Integer> model = new HashMap<>();
      for (int step = 0; step < 4_000; step++) {
        Prefix prefix = random(random, family);
        if (random.nextInt(100) < 60) {
          int id = add(table, prefix);
          Integer before = model.put(prefix, id);
          assertThat(before == null || before == id).isTrue();
        } else if (model.containsKey(prefix)) {
          table.remove(model.remove(prefix));
        }
        assertThat(table.find(prefix)).isEqualTo(model.getOrDefault(prefix, PrefixTable.NONE));
      }
      assertThat(table.size()).isEqualTo(model.size());
      assertThat(new HashSet<>(model.values())).hasSameSizeAs(model.keySet());
      model.forEach(
          (prefix, id) -> {
            assertThat(table.find(prefix)).isEqualTo(id);
            assertThat(table.prefix(id)).isEqualTo(prefix);
            assertThat(table.isLive(id)).isTrue();
            assertThat(table.hasLength(prefix.length())).isTrue();
          });
      Set<Integer> live = new HashSet<>();
      for (int id = 0; id < table.limit(); id++) {
        if (table.isLive(id)) {
          live.add(id);
        }
      }
      assertThat(live).isEqualTo(new HashSet<>(model.values()));
    }
  }

  @Test
  void dense_neighbours_and_sparse_strangers_are_found_in_few_steps() {
    // The first 16 slots of a run belong to neighbours; a stride of 4,096 addresses makes the last
    // network bits of all prefixes equal.
    for (int stride : new int[] {1, 16, 4_096}) {
      PrefixTable table = new PrefixTable(IpFamily.IPV4, SEED);
      int count = 200_000;
      for (int i = 0; i < count; i++) {
        table.findOrAdd(Integer.toUnsignedLong(i * stride), 0, 32);
      }
      assertThat(table.size()).isEqualTo(count);
      assertThat(table.probes()).isLessThan(3L * count);
    }
  }

  @Test
  void an_emptied_table_begins_anew() {
    PrefixTable table = new PrefixTable(IpFamily.IPV4, SEED);
    for (int round = 0; round < 3; round++) {
      for (int i = 0; i < 5_000; i++) {
        assertThat(table.findOrAdd(i << 8, 0, 24)).isEqualTo(i);
      }
      for (int i = 0; i < 5_000; i++) {
        table.remove(i);
      }
      assertThat(table.size()).isZero();
      assertThat(table.limit()).isZero();
    }
  }
}
