package io.margay.ipam;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class BlockTest {

  private static final Instant NOW = Instant.parse("2026-11-23T10:00:00Z");
  private static final Block FRESH = Block.create(Prefix.parse("10.0.0.0/30"), "host:n1", NOW);
  private static final Block.Attribute POD =
      Block.Attribute.of("net.c1", Map.of("pod", "p", "node", "n1"));
  private static final Block.Attribute OTHER = Block.Attribute.of("net.c2", Map.of("pod", "q"));

  private static IpAddress ip(String text) {
    return IpAddress.parse(text);
  }

  private static Block take(Block block, int count, Block.Attribute holder) {
    return block.take(count, holder, _ -> false).block();
  }

  @Test
  void addresses_are_taken_in_order_and_share_their_holder() {
    Block.Taken taken = FRESH.take(2, POD, _ -> false);
    assertThat(taken.addresses()).containsExactly(ip("10.0.0.0"), ip("10.0.0.1"));
    assertThat(taken.block().attributes()).containsExactly(POD);
    assertThat(taken.block().allocations()).containsExactly(0, 0, -1, -1);
    assertThat(taken.block().unallocated()).containsExactly(2, 3);
    assertThat(FRESH.freeCount()).isEqualTo(4);
  }

  @Test
  void the_longest_free_address_goes_first() {
    Block full = take(take(FRESH, 2, POD), 2, OTHER);
    Block freed =
        full.free(List.of(ip("10.0.0.2")), NOW, Duration.ZERO)
            .free(List.of(ip("10.0.0.0")), NOW, Duration.ZERO);
    assertThat(freed.unallocated()).containsExactly(2, 0);
    assertThat(freed.take(2, POD, _ -> false).addresses())
        .containsExactly(ip("10.0.0.2"), ip("10.0.0.0"));
  }

  @Test
  void reserved_addresses_are_passed_over_and_keep_their_place() {
    Block.Taken taken = FRESH.take(2, POD, address -> address.equals(ip("10.0.0.1")));
    assertThat(taken.addresses()).containsExactly(ip("10.0.0.0"), ip("10.0.0.2"));
    assertThat(taken.block().unallocated()).containsExactly(1, 3);
  }

  @Test
  void a_full_block_gives_what_it_has() {
    assertThat(FRESH.take(9, POD, _ -> false).addresses()).hasSize(4);
    assertThat(take(FRESH, 4, POD).take(1, POD, _ -> false).addresses()).isEmpty();
  }

  @Test
  void attributes_nobody_refers_to_go_and_the_rest_is_renumbered() {
    Block two = take(take(FRESH, 1, POD), 1, OTHER);
    Block one = two.free(List.of(ip("10.0.0.0")), NOW, Duration.ZERO);
    assertThat(one.attributes()).containsExactly(OTHER);
    assertThat(one.allocations()).containsExactly(-1, 0, -1, -1);
    assertThat(one.allocationOf(ip("10.0.0.1"))).map(Block.Allocation::holder).contains(OTHER);
    assertThat(one.sequenceNumbers()).containsOnlyKeys(1);
  }

  @Test
  void an_allocation_remembers_the_sequence_number_it_was_made_at() {
    Block first = take(FRESH, 1, POD).advanced();
    Block second = take(first, 1, OTHER).advanced();
    assertThat(FRESH.sequenceNumber()).isEqualTo(1795428000000000000L);
    assertThat(second.sequenceNumbers())
        .containsEntry(0, FRESH.sequenceNumber())
        .containsEntry(1, FRESH.sequenceNumber() + 1);
    assertThat(second.sequenceNumber()).isEqualTo(FRESH.sequenceNumber() + 2);
  }

  @Test
  void a_freed_address_rests_until_the_cooldown_has_passed() {
    Duration cooldown = Duration.ofSeconds(30);
    Block resting =
        take(FRESH, 4, POD).free(List.of(ip("10.0.0.3"), ip("10.0.0.1")), NOW, cooldown);
    assertThat(resting.freeCount()).isZero();
    assertThat(resting.allocated()).hasSize(2);
    assertThat(resting.allocationOf(ip("10.0.0.1")))
        .map(Block.Allocation::isResting)
        .contains(true);
    assertThat(resting.rested(NOW.plusSeconds(29), cooldown).freeCount()).isZero();
    Block later = resting.rested(NOW.plusSeconds(30), cooldown);
    assertThat(later.unallocated()).containsExactly(1, 3);
    assertThat(later.attributes()).containsExactly(POD);
  }

  @Test
  void an_address_freed_by_a_clock_that_was_set_back_since_does_not_rest_until_then() {
    Duration cooldown = Duration.ofSeconds(30);
    Block resting = take(FRESH, 4, POD).free(List.of(ip("10.0.0.3")), NOW, cooldown);
    Instant hourBefore = NOW.minusSeconds(3600);
    assertThat(resting.rested(hourBefore, cooldown).freeCount()).isEqualTo(1);
    Instant byAnotherClock = NOW.minusSeconds(20);
    assertThat(resting.rested(byAnotherClock, cooldown).freeCount()).isZero();
  }

  @Test
  void the_longest_rested_returns_to_the_queue_first() {
    Duration cooldown = Duration.ofSeconds(30);
    Block resting =
        take(FRESH, 4, POD)
            .free(List.of(ip("10.0.0.3")), NOW, cooldown)
            .free(List.of(ip("10.0.0.0")), NOW.plusSeconds(5), cooldown);
    assertThat(resting.rested(NOW.plusSeconds(60), cooldown).unallocated()).containsExactly(3, 0);
  }

  @Test
  void a_particular_address_leaves_the_queue() {
    Block taken = FRESH.takeExactly(ip("10.0.0.2"), POD);
    assertThat(taken.unallocated()).containsExactly(0, 1, 3);
    assertThatThrownBy(() -> taken.takeExactly(ip("10.0.0.2"), POD))
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> FRESH.takeExactly(ip("10.0.1.2"), POD))
        .hasMessageContaining("not in block 10.0.0.0/30");
  }

  @Test
  void a_queue_that_contradicts_who_holds_what_gives_nothing_twice_and_loses_nothing() {
    String held = take(FRESH, 2, POD).toJson();
    assertThat(held).contains("\"unallocated\":[2,3]");
    Block block =
        Block.parse(
            "k", held.replace("\"unallocated\":[2,3]", "\"unallocated\":[0,9,-1,\"x\",3,3]"));
    assertThat(block.freeCount()).isEqualTo(2);
    Block.Taken taken = block.take(4, Block.Attribute.of("other", Map.of()), _ -> false);
    assertThat(taken.addresses()).containsExactly(ip("10.0.0.3"), ip("10.0.0.2"));
    assertThat(taken.block().allocationOf(ip("10.0.0.0")).orElseThrow().holder()).isEqualTo(POD);
    Block full =
        Block.parse(
            "k",
            take(FRESH, 4, POD)
                .toJson()
                .replace("\"unallocated\":[]", "\"unallocated\":[0,1,2,3]"));
    assertThat(full.isWhollyFree()).as("a block that is held").isFalse();
  }

  @Test
  void ipv6_is_the_same_by_parameter() {
    Block block = Block.create(Prefix.parse("fd00::10:40/122"), "host:n1", NOW);
    Block.Taken taken = block.take(2, POD, _ -> false);
    assertThat(taken.addresses()).containsExactly(ip("fd00::10:40"), ip("fd00::10:41"));
    assertThat(taken.block().allocationOf(ip("fd00::10:41"))).isPresent();
    assertThat(block.takeExactly(ip("fd00::10:7f"), POD).unallocated())
        .hasSize(63)
        .doesNotContain(63);
  }

  @Test
  void old_migrations_appendix_is_no_part_of_a_handle() {
    Block.Attribute odd = Block.Attribute.of("net.c1\r\neth0", Map.of());
    assertThat(odd.cleanHandleId()).isEqualTo(Optional.of("net.c1"));
  }
}
