package io.margay.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class ProgressTest {

  private final StringWriter err = new StringWriter();
  private final AtomicLong now = new AtomicLong();

  private Progress progress(boolean isWatched) {
    return new Progress(new PrintWriter(err), isWatched, now::get);
  }

  @Test
  void a_watched_line_is_written_over_and_wiped_at_the_end() {
    try (Progress progress = progress(true)) {
      progress.at("exporting", 0);
      now.addAndGet(Progress.INTERVAL_NANOS);
      progress.at("exporting", 1_500, 2_000);
    }
    assertThat(err)
        .hasToString("\r\u001b[Kexporting 0\r\u001b[Kexporting 1,500 of 2,000 (75 %)\r\u001b[K");
  }

  @Test
  void a_terminal_is_not_flooded() {
    try (Progress progress = progress(true)) {
      for (int i = 0; i < 1_000; i++) {
        progress.at("x", i);
        now.addAndGet(Progress.INTERVAL_NANOS / 10);
      }
    }
    assertThat(err.toString().split("\r", -1)).hasSize(1 + 100 + 1);
  }

  @Test
  void what_is_waited_for_is_said_at_once() {
    try (Progress progress = progress(true)) {
      progress.at("reading", 1);
      progress.say("waiting 5 s");
    }
    assertThat(err).hasToString("\r\u001b[Kreading 1\r\u001b[Kwaiting 5 s\r\u001b[K");
  }

  @Test
  void nobody_watching_means_nothing_written() {
    try (Progress progress = progress(false)) {
      progress.at("exporting", 1);
      progress.say("waiting");
    }
    assertThat(err.toString()).isEmpty();
  }
}
