package io.margay.bgp.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Ipv4Address;
import io.margay.model.net.Ipv6Address;
import io.margay.model.net.Prefix;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class OwnRangesTest {

  private static final OwnRanges RANGES =
      OwnRanges.of(
          List.of(
              Prefix.parse("10.65.0.0/26"),
              Prefix.parse("10.65.1.0/26"),
              Prefix.parse("192.0.2.1/32"),
              Prefix.parse("fd00:65::/122"),
              Prefix.parse("fd00:66:0:0:1::/80")));

  @ParameterizedTest(name = "{0}: {1}")
  @CsvSource({
    "10.65.0.0/26, 10.65.0.0/26",
    "10.65.0.5/32, 10.65.0.0/26",
    "10.65.0.32/27, 10.65.0.0/26",
    "10.65.0.0/24, 10.65.0.0/26",
    "10.0.0.0/8, 10.65.1.0/26",
    "128.0.0.0/1, 192.0.2.1/32",
    "10.65.0.64/26, ",
    "10.64.255.255/32, ",
    "192.0.2.0/32, ",
    "0.0.0.0/0, ",
    "fd00:65::1/128, fd00:65::/122",
    "fd00:65::/64, fd00:65::/122",
    "fd00::/16, fd00:66:0:0:1::/80",
    "fd00:66:0:0:1:2::/96, fd00:66:0:0:1::/80",
    "fd00:66:0:0:2::/80, ",
    "fd00:65::40/122, ",
    "::/0, ",
  })
  void what_is_inside_equal_to_or_around_a_range_overlaps_but_the_default_route(
      String prefix, String range) {
    Prefix expected = range == null ? null : Prefix.parse(range);
    assertThat(RANGES.overlapping(Prefix.parse(prefix))).isEqualTo(expected);
  }

  @ParameterizedTest
  @EnumSource(IpFamily.class)
  void random_ranges_answer_as_a_loop_over_all_of_them(IpFamily family) {
    Random random = new Random(17);
    for (int round = 0; round < 200; round++) {
      Set<Prefix> ranges = new HashSet<>();
      int count = random.nextInt(40);
      for (int i = 0; i < count; i++) {
        ranges.add(prefix(random, family, 1));
      }
      OwnRanges own = OwnRanges.of(ranges);
      for (int i = 0; i < 100; i++) {
        Prefix asked = prefix(random, family, 0);
        boolean expected =
            asked.length() > 0 && ranges.stream().anyMatch(range -> range.overlaps(asked));
        Prefix found = own.overlapping(asked);
        assertThat(found != null).as("%s in %s", asked, ranges).isEqualTo(expected);
        assertThat(found == null || found.overlaps(asked)).isTrue();
        assertThat(flat(own, asked)).isEqualTo(found);
      }
    }
  }

  private static @Nullable Prefix flat(OwnRanges own, Prefix asked) {
    return switch (asked.address()) {
      case Ipv4Address(int value) ->
          own.overlapping(IpFamily.IPV4, Integer.toUnsignedLong(value), 0, asked.length());
      case Ipv6Address(long high, long low) ->
          own.overlapping(IpFamily.IPV6, high, low, asked.length());
    };
  }

  /// Few distinct bits, at both ends, so that overlaps are common and the signs of words vary.
  private static Prefix prefix(Random random, IpFamily family, int least) {
    int length = least + random.nextInt(family.bits() - least + 1);
    IpAddress address =
        switch (family) {
          case IPV4 -> new Ipv4Address(random.nextInt() & 0xc0000303);
          case IPV6 ->
              new Ipv6Address(
                  random.nextLong() & 0xc000000000000003L, random.nextLong() & 0xc000000000000003L);
        };
    return Prefix.containing(address, length);
  }

  @Test
  void a_whole_family_is_no_own_range() {
    assertThatThrownBy(() -> OwnRanges.of(Set.of(Prefix.parse("::/0"))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("::/0 can't be an own range");
  }

  @Test
  void a_family_without_ranges_is_empty() {
    OwnRanges v4 = OwnRanges.of(Set.of(Prefix.parse("10.0.0.0/8")));
    assertThat(v4.isEmpty(IpFamily.IPV4)).isFalse();
    assertThat(v4.isEmpty(IpFamily.IPV6)).isTrue();
    assertThat(OwnRanges.of(Set.of())).isSameAs(OwnRanges.NONE);
  }
}
