package io.margay.bgp.bfd;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class TimerLatenessTest {

  @Test
  void nothing_recorded_is_never_late() {
    TimerLateness lateness = new TimerLateness();
    assertThat(lateness.count()).isZero();
    assertThat(lateness.max()).isZero();
    assertThat(lateness.atMost(0.9999)).isZero();
  }

  @Test
  void a_share_is_bounded_by_no_more_than_twice_its_value() {
    TimerLateness lateness = new TimerLateness();
    for (int i = 1; i <= 10_000; i++) {
      lateness.record(Duration.ofNanos(i * 10_000L).toNanos());
    }
    assertThat(lateness.count()).isEqualTo(10_000);
    assertThat(lateness.max()).isEqualTo(Duration.ofMillis(100));
    assertThat(lateness.atMost(0.5)).isBetween(Duration.ofMillis(50), Duration.ofMillis(100));
    assertThat(lateness.atMost(0.1)).isBetween(Duration.ofMillis(10), Duration.ofMillis(20));
    assertThat(lateness.atMost(1)).isEqualTo(Duration.ofMillis(100));
  }

  @Test
  void one_long_pause_is_the_maximum_and_early_timers_are_on_time() {
    TimerLateness lateness = new TimerLateness();
    lateness.record(-5);
    lateness.record(Duration.ofMinutes(1).toNanos());
    assertThat(lateness.max()).isEqualTo(Duration.ofMinutes(1));
    assertThat(lateness.atMost(0.5)).isLessThanOrEqualTo(Duration.ofNanos(64_000));
    assertThat(lateness.atMost(0.9999)).isEqualTo(Duration.ofMinutes(1));
  }
}
