package io.margay.model.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PrefixTest {

  @ParameterizedTest
  @ValueSource(
      strings = {
        "0.0.0.0/0",
        "10.65.0.0/26",
        "10.65.0.1/32",
        "::/0",
        "fd00:65::/122",
        "2001:db8::1/128"
      })
  void text_survives_a_round_trip(String text) {
    assertThat(Prefix.parse(text)).hasToString(text);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "10.0.0.1/24",
        "10.0.0.0",
        "10.0.0.0/33",
        "10.0.0.0/-1",
        "10.0.0.0/",
        "fd00::1/64",
        "fd00::/129",
        "x/8",
        "10.0.0.0/+8"
      })
  void what_is_not_a_canonical_prefix_is_refused(String text) {
    assertThatThrownBy(() -> Prefix.parse(text)).isInstanceOf(IllegalArgumentException.class);
  }

  @ParameterizedTest
  @CsvSource({
    "10.0.0.77/26,10.0.0.64/26",
    "fd00::ffff/112,fd00::/112",
    "10.0.0.7,10.0.0.7/32",
    "fd00::7,fd00::7/128"
  })
  void lenient_parsing_clears_host_bits(String text, String expected) {
    assertThat(Prefix.parseLenient(text)).hasToString(expected);
  }

  @Test
  void containment_stays_within_a_family() {
    assertThat(Prefix.parse("0.0.0.0/0").contains(Prefix.parse("::/0"))).isFalse();
    assertThat(Prefix.parse("10.0.0.0/8").contains(Prefix.parse("10.1.0.0/16"))).isTrue();
    assertThat(Prefix.parse("10.1.0.0/16").contains(Prefix.parse("10.0.0.0/8"))).isFalse();
    assertThat(Prefix.parse("10.1.0.0/16").overlaps(Prefix.parse("10.0.0.0/8"))).isTrue();
  }

  @ParameterizedTest
  @CsvSource({
    "10.0.0.64/26,10.0.0.127",
    "0.0.0.0/0,255.255.255.255",
    "fd00::/122,fd00::3f",
    "fd00::1/128,fd00::1"
  })
  void last_address_has_all_host_bits_set(String prefix, String last) {
    assertThat(Prefix.parse(prefix).lastAddress()).hasToString(last);
  }
}
