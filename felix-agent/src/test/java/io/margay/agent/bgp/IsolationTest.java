package io.margay.agent.bgp;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class IsolationTest {

  private static final Instant START = Instant.parse("2026-11-29T00:00:00Z");

  private Instant now = START;
  private Instant passed = START;
  private final Isolation isolation = new Isolation(() -> now, () -> passed);

  private void pass(long seconds) {
    now = now.plusSeconds(seconds);
    passed = passed.plusSeconds(seconds);
  }

  @Test
  void a_first_peer_long_after_the_start_counts_from_when_it_was_seen() {
    assertThat(isolation.look(List.of(), Optional.empty())).isEmpty();
    pass(86_400);
    assertThat(isolation.look(List.of(false), Optional.empty())).contains(now);
    Instant first = now;
    pass(60);
    assertThat(isolation.look(List.of(false, false), Optional.empty())).contains(first);
    assertThat(isolation.look(List.of(false, true), Optional.empty())).isEmpty();
    pass(60);
    assertThat(isolation.look(List.of(false, false), Optional.empty())).contains(now);
  }

  @Test
  void a_session_that_ended_counts_from_its_end() {
    Instant end = START.minusSeconds(5);
    assertThat(isolation.look(List.of(false), Optional.of(end))).contains(end);
    pass(60);
    Instant later = now.minusSeconds(3);
    assertThat(isolation.look(List.of(false), Optional.of(later))).contains(later);
  }

  @Test
  void a_clock_that_is_set_makes_it_neither_longer_nor_shorter() {
    Instant end = START.minusSeconds(5);
    assertThat(isolation.look(List.of(false), Optional.of(end))).contains(end);
    now = START.plusSeconds(3600);
    assertThat(isolation.look(List.of(false), Optional.of(end))).contains(end);
    now = START.minusSeconds(3600);
    assertThat(isolation.look(List.of(false), Optional.of(end))).contains(end);
    assertThat(isolation.look(List.of(true), Optional.empty())).isEmpty();
    assertThat(isolation.look(List.of(false), Optional.of(end)))
        .as("an end that is still to come was now")
        .contains(START);
  }
}
