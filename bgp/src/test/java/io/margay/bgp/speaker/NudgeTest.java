package io.margay.bgp.speaker;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.bgp.sim.VirtualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class NudgeTest {

  private final VirtualTime time = new VirtualTime(new Random(1));
  private final List<Duration> sent = new ArrayList<>();
  private boolean reading = true;
  private final Nudge nudge = new Nudge(new VirtualClock(time), () -> reading, this::send);

  private void send() {
    sent.add(now());
    nudge.keptAlive();
  }

  private Duration now() {
    return Duration.ofNanos(time.nanos());
  }

  private void passes(Duration duration) {
    long until = time.nanos() + duration.toNanos();
    time.after(duration, () -> {});
    while (time.step(until)) {}
  }

  @Test
  void silence_after_a_burst_is_answered_by_one_keepalive() {
    passes(Nudge.APART);
    nudge.heard(Nudge.BURST);
    Duration burst = now();
    passes(Duration.ofMinutes(10));
    assertThat(sent).containsExactly(burst.plus(Nudge.SILENCE));
  }

  @Test
  void a_burst_is_one_however_it_is_cut() {
    passes(Nudge.APART);
    for (int i = 0; i < Nudge.BURST; i++) {
      nudge.heard(1);
      passes(Nudge.SILENCE.dividedBy(2));
    }
    passes(Duration.ofMinutes(10));
    assertThat(sent).hasSize(1);
  }

  @Test
  void a_peer_that_goes_on_is_left_alone() {
    passes(Nudge.APART);
    for (int i = 0; i < 10_000; i++) {
      nudge.heard(Nudge.BURST);
      passes(Nudge.SILENCE.dividedBy(2));
    }
    assertThat(sent).isEmpty();
  }

  @Test
  void updates_that_come_now_and_then_are_no_burst() {
    passes(Nudge.APART);
    for (int i = 0; i < 3 * Nudge.BURST; i++) {
      nudge.heard(1);
      passes(Nudge.SILENCE.multipliedBy(2));
    }
    assertThat(sent).isEmpty();
  }

  @Test
  void keepalives_are_a_second_apart() {
    nudge.keptAlive();
    Duration before = now();
    passes(Duration.ofMillis(300));
    nudge.heard(Nudge.BURST);
    passes(Duration.ofMillis(500));
    nudge.heard(Nudge.BURST);
    passes(Duration.ofMinutes(1));
    assertThat(sent).containsExactly(before.plus(Nudge.APART));
  }

  @Test
  void silence_of_a_peer_that_is_not_read_is_ours() {
    passes(Nudge.APART);
    reading = false;
    nudge.heard(Nudge.BURST);
    passes(Duration.ofSeconds(30));
    assertThat(sent).isEmpty();
    reading = true;
    passes(Nudge.SILENCE.multipliedBy(2));
    assertThat(sent).hasSize(1);
  }

  @Test
  void a_connection_that_ended_is_not_nudged() {
    passes(Nudge.APART);
    nudge.heard(Nudge.BURST);
    nudge.stop();
    passes(Duration.ofMinutes(1));
    assertThat(sent).isEmpty();
  }
}
