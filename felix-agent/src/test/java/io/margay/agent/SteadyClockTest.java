package io.margay.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class SteadyClockTest {

  private static final Instant START = Instant.parse("2026-11-29T12:00:00Z");

  private Instant wall = START;
  private long nanos = Long.MAX_VALUE - 5;
  private final SteadyClock clock = new SteadyClock(() -> wall, () -> nanos);

  @Test
  void it_begins_with_the_time_of_day_and_goes_on_by_what_passes() {
    assertThat(clock.instant()).isEqualTo(START);
    nanos += Duration.ofSeconds(3).toNanos(); // beyond the largest number, as nanoTime may
    assertThat(clock.instant()).isEqualTo(START.plusSeconds(3));
  }

  @Test
  void whoever_sets_the_machines_clock_does_not_move_it() {
    wall = START.minusSeconds(3600);
    assertThat(clock.instant()).isEqualTo(START);
    wall = START.plus(Duration.ofDays(2));
    assertThat(clock.instant()).isEqualTo(START);
  }
}
