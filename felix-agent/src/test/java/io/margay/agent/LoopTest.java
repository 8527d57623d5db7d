package io.margay.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.agent.loop.Loop;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class LoopTest {

  private final CompletableFuture<Throwable> bug = new CompletableFuture<>();

  @Test
  void a_burst_is_settled_once() throws Exception {
    try (Loop loop = new Loop("test", bug::complete)) {
      List<String> seen = Collections.synchronizedList(new ArrayList<>());
      CountDownLatch settled = new CountDownLatch(1);
      loop.post(() -> seen.add("a"));
      assertThat(loop.postUnlessEnded(() -> seen.add("b"))).isTrue();
      loop.start(
          () -> {
            seen.add("settle");
            settled.countDown();
          });
      assertThat(settled.await(10, TimeUnit.SECONDS)).isTrue();
      assertThat(seen).containsExactly("a", "b", "settle");
    }
  }

  @Test
  void timers_run_in_order_of_their_time() throws Exception {
    try (Loop loop = new Loop("test", bug::complete)) {
      List<String> seen = Collections.synchronizedList(new ArrayList<>());
      CompletableFuture<Void> last = new CompletableFuture<>();
      loop.start(() -> {});
      loop.schedule(Duration.ofMillis(30), () -> last.complete(null));
      loop.schedule(Duration.ofMillis(20), () -> seen.add("later"));
      loop.schedule(Duration.ofMillis(1), () -> seen.add("sooner"));
      last.get(10, TimeUnit.SECONDS);
      assertThat(seen).containsExactly("sooner", "later");
    }
  }

  @Test
  void a_task_that_throws_ends_the_loop_and_is_reported() throws Exception {
    try (Loop loop = new Loop("test", bug::complete)) {
      loop.start(() -> {});
      loop.post(
          () -> {
            throw new IllegalStateException("wrong");
          });
      assertThat(bug.get(10, TimeUnit.SECONDS)).hasMessage("wrong");
      assertThatThrownBy(() -> loop.post(() -> {})).hasMessageContaining("has ended");
      assertThat(loop.postUnlessEnded(() -> {})).isFalse();
    }
  }

  @Test
  void state_is_touched_on_the_loop_only() {
    try (Loop loop = new Loop("test", bug::complete)) {
      assertThatThrownBy(loop::assertOnLoop).isInstanceOf(IllegalStateException.class);
    }
  }
}
