package io.margay.bgp.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MaxPrefixTest {

  @ParameterizedTest(name = "{1} % of {0}: {2}")
  @CsvSource({
    "100, 75, 75",
    "3, 75, 3",
    "1, 1, 1",
    "10, 100, 10",
    "1000, 1, 10",
    "2147483647, 100, 2147483647"
  })
  void the_warning_comes_at_the_least_count_that_reaches_the_share(
      int limit, int percent, int warnAt) {
    assertThat(new MaxPrefix(limit, MaxPrefix.Action.WARN, percent).warnAt()).isEqualTo(warnAt);
  }

  @Test
  void the_limit_itself_is_still_fine() {
    MaxPrefix limit = new MaxPrefix(10, MaxPrefix.Action.RESTART);
    assertThat(limit.warnPercent()).isEqualTo(75);
    assertThat(limit.isExceededBy(10)).isFalse();
    assertThat(limit.isExceededBy(11)).isTrue();
  }

  @Test
  void errors_name_the_field() {
    assertThatThrownBy(() -> new MaxPrefix(0, MaxPrefix.Action.WARN, 75))
        .hasMessage("limit: 0 is not 1 or more");
    assertThatThrownBy(() -> new MaxPrefix(1, MaxPrefix.Action.WARN, 101))
        .hasMessage("warnPercent: 101 is not in 1..100");
    assertThatThrownBy(() -> new MaxPrefix(1, MaxPrefix.Action.WARN, 0))
        .hasMessage("warnPercent: 0 is not in 1..100");
  }
}
