package io.margay.bgp.message;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.util.List;
import org.junit.jupiter.api.Test;

class NlriTest {

  private static final List<Prefix> V4 =
      List.of(Prefix.parse("0.0.0.0/0"), Prefix.parse("10.1.0.0/16"), Prefix.parse("255.0.0.1/32"));
  private static final List<Prefix> V6 =
      List.of(
          Prefix.parse("::/0"),
          Prefix.parse("2001:db8::/32"),
          Prefix.parse("fd00::ffff:ffff:ffff:ffff/128"));

  @Test
  void prefixes_come_back_as_they_went_in() {
    assertThat(Nlri.of(IpFamily.IPV4, V4).toList()).isEqualTo(V4);
    assertThat(Nlri.of(IpFamily.IPV6, V6).toList()).isEqualTo(V6);
    assertThat(Nlri.of(IpFamily.IPV4, V4).hasPathIds()).isFalse();
  }

  @Test
  void ipv4_bits_are_unsigned_and_right_aligned() {
    Nlri nlri = Nlri.of(IpFamily.IPV4, V4);
    assertThat(nlri.high(2)).isEqualTo(0xff00_0001L);
    assertThat(nlri.low(2)).isZero();
    assertThat(nlri.length(2)).isEqualTo(32);
    assertThat(Nlri.of(IpFamily.IPV6, V6).length(2)).isEqualTo(128);
  }

  @Test
  void path_identifiers_belong_to_their_prefix_even_when_the_first_has_none() {
    Nlri.Builder builder = Nlri.builder(IpFamily.IPV4, 0);
    builder.add(V4.get(0), 0).add(V4.get(1), 7);
    Nlri nlri = builder.build();
    assertThat(nlri.hasPathIds()).isTrue();
    assertThat(nlri.pathId(0)).isZero();
    assertThat(nlri.pathId(1)).isEqualTo(7);
    assertThat(nlri).isNotEqualTo(Nlri.of(IpFamily.IPV4, V4.subList(0, 2)));
  }

  @Test
  void families_do_not_mix() {
    assertThatIllegalArgumentException().isThrownBy(() -> Nlri.of(IpFamily.IPV4, V6));
  }

  @Test
  void there_is_nothing_beyond_the_end() {
    assertThatExceptionOfType(IndexOutOfBoundsException.class)
        .isThrownBy(() -> Nlri.of(IpFamily.IPV4, V4).high(3));
    assertThat(Nlri.none(IpFamily.IPV6)).isEmpty();
  }
}
