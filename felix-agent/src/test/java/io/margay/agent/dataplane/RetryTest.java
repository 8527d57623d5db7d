package io.margay.agent.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class RetryTest {

  private static final Logger LOGGER = (Logger) LoggerFactory.getLogger(Retry.class);

  private final ListAppender<ILoggingEvent> log = new ListAppender<>();
  private final List<Duration> pauses = new ArrayList<>();
  private final Deque<Runnable> timers = new ArrayDeque<>();
  private long now = Long.MAX_VALUE - 5;
  private final Retry retry =
      new Retry(
          "nft",
          (pause, then) -> {
            pauses.add(pause);
            timers.add(then);
          },
          () -> now);

  @BeforeEach
  void start() {
    log.start();
    LOGGER.addAppender(log);
  }

  @AfterEach
  void leave() {
    LOGGER.detachAppender(log);
  }

  private void refuse(String reason) {
    retry.attempting();
    retry.refused(reason);
    retry.attempted(Duration.ZERO);
    assertThat(retry.isDue()).isFalse();
  }

  private void succeed() {
    retry.attempting();
    retry.attempted(Duration.ZERO);
    assertThat(retry.isDue()).isTrue();
  }

  private void awaitPause() {
    timers.remove().run();
    assertThat(retry.isDue()).isTrue();
  }

  private List<Long> millis() {
    return pauses.stream().map(Duration::toMillis).toList();
  }

  @Test
  void pauses_double_to_half_a_minute_and_begin_anew_with_news_and_with_success() {
    for (int i = 0; i < 10; i++) {
      refuse("full");
      awaitPause();
    }
    assertThat(millis())
        .containsExactly(200L, 400L, 800L, 1600L, 3200L, 6400L, 12_800L, 25_600L, 30_000L, 30_000L);
    pauses.clear();
    refuse("full");
    retry.news();
    assertThat(retry.isDue()).isTrue();
    refuse("full");
    timers.remove().run();
    assertThat(retry.isDue()).as("that was the timer before the news").isFalse();
    awaitPause();
    succeed();
    refuse("full");
    assertThat(millis()).containsExactly(30_000L, 200L, 200L);
  }

  @Test
  void many_refusals_begin_with_a_longer_pause() {
    for (int i = 0; i < 2; i++) {
      retry.attempting();
      retry.refused();
      retry.attempted(Duration.ofSeconds(2));
      awaitPause();
    }
    assertThat(millis()).containsExactly(2000L, 4000L);
    assertThat(log.list).isEmpty();
  }

  @Test
  void a_reason_is_said_once_and_again_after_minutes_and_when_it_changes_and_when_it_is_over() {
    refuse("full");
    refuse("full");
    assertThat(log.list).hasSize(1);
    refuse("not permitted");
    assertThat(log.list).hasSize(2);
    now += Retry.SAID_AGAIN.toNanos() - 1;
    refuse("not permitted");
    assertThat(log.list).hasSize(2);
    now++;
    refuse("not permitted");
    assertThat(log.list).hasSize(3);
    succeed();
    succeed();
    assertThat(log.list).hasSize(4);
    refuse("not permitted");
    assertThat(log.list).hasSize(5);
  }
}
