package io.margay.bgp.speaker;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class LogPauseTest {

  @Test
  void one_line_then_none_for_a_while_even_where_the_counter_wraps() {
    LogPause pause = new LogPause(Duration.ofNanos(10));
    long start = Long.MAX_VALUE - 3;
    assertThat(pause.isOver(start)).isTrue();
    assertThat(pause.isOver(start + 10)).isFalse();
    assertThat(pause.isOver(start + 11)).isTrue();
    assertThat(pause.isOver(start + 12)).isFalse();
  }
}
