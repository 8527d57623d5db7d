package io.margay.bgp.speaker;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Test;

class BackoffTest {

  private static final Duration TEN = Duration.ofSeconds(10);

  private final Backoff backoff = new Backoff(new Random(1));

  @Test
  void jitter_takes_up_to_a_quarter_off() {
    Duration least = TEN;
    Duration most = Duration.ZERO;
    for (int i = 0; i < 10_000; i++) {
      Duration jittered = backoff.jitter(TEN);
      assertThat(jittered).isBetween(Duration.ofMillis(7500), TEN);
      least = least.compareTo(jittered) < 0 ? least : jittered;
      most = most.compareTo(jittered) > 0 ? most : jittered;
    }
    assertThat(least).isLessThan(Duration.ofMillis(7600));
    assertThat(most).isGreaterThan(Duration.ofMillis(9900));
  }

  @Test
  void pauses_double_up_to_the_longest_and_a_success_begins_anew() {
    for (int seconds : new int[] {1, 2, 4, 8, 16, 30, 30}) {
      Duration whole = Duration.ofSeconds(seconds);
      assertThat(backoff.failed()).isBetween(whole.multipliedBy(3).dividedBy(4), whole);
    }
    backoff.succeeded();
    assertThat(backoff.failed()).isBetween(Duration.ofMillis(750), Backoff.SHORTEST);
  }
}
