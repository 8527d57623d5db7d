package io.margay.datastore.json;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class UtcSecondsTest {

  @Test
  void it_agrees_with_the_general_parser() {
    SplittableRandom random = new SplittableRandom(7);
    for (int i = 0; i < 5_000; i++) {
      Instant time = Instant.ofEpochSecond(random.nextLong(-60_000_000_000L, 250_000_000_000L));

      assertThat(UtcSeconds.parse(time.toString())).isEqualTo(time);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:60Z",
        "2026-01-01t00:00:00Z",
        "2026-01-01T00:00:00+0",
        "2026-01-01T00:00:00.5Z",
        "2026-01-01T00:00:0xZ",
        ""
      })
  void other_forms_are_left_to_it(String text) {
    assertThat(UtcSeconds.parse(text)).isNull();
  }
}
