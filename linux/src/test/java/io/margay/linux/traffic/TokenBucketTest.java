package io.margay.linux.traffic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class TokenBucketTest {

  /// The plugin of the CNI project: limit = rate x 25 ms + burst; ticks of 64 ns.
  @ParameterizedTest
  @CsvSource({
    "125000, 20000, 23125, 2500000",
    "1250000, 536870911, 536902161, 4294967295",
    "1, 1, 1, 15625000",
    "12500000000, 4294967295, 4294967295, 5368709"
  })
  void limit_and_ticks_follow_and_never_overflow(long rate, long burst, long limit, long ticks) {
    TokenBucket bucket = new TokenBucket(rate, burst);
    assertThat(bucket.limit()).isEqualTo(limit);
    assertThat(bucket.burstTicks()).isEqualTo(ticks);
    assertThat(bucket.isWide()).isEqualTo(rate > 0xffff_ffffL);
  }

  @Test
  void a_bucket_that_lets_nothing_through_is_refused() {
    assertThatThrownBy(() -> new TokenBucket(0, 1)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new TokenBucket(1, 0)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new TokenBucket(1, 1L << 32))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
