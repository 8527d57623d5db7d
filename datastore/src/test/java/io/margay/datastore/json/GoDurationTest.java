package io.margay.datastore.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class GoDurationTest {

  @ParameterizedTest
  @CsvSource({
    "90s,1m30s",
    "1m30s,1m30s",
    "2m,2m0s",
    "1h,1h0m0s",
    "1.5s,1.5s",
    "250ms,250ms",
    "0,0s",
    "0s,0s",
    "1h0m1s,1h0m1s",
    "-10s,-10s",
    "5ns,5ns"
  })
  void parse_and_print(String text, String printed) {
    assertThat(GoDuration.format(GoDuration.parse(text))).isEqualTo(printed);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "-", "10", "s", "1 s", "1d", "1s2", "PT1S"})
  void anything_else_is_refused(String text) {
    assertThatThrownBy(() -> GoDuration.parse(text)).isInstanceOf(IllegalArgumentException.class);
  }
}
