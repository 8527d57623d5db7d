package io.margay.agent.service;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.agent.loop.Loop;
import io.margay.linux.Errno;
import io.margay.linux.LinuxException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ServiceManagerTest {

  private static final String EXTENSION = "EXTEND_TIMEOUT_USEC=120000000";

  private volatile Instant now = Instant.EPOCH;
  private final RecordingSink sink = new RecordingSink();
  private final Loop loop = new Loop("probed", bug -> {});
  private final LoopProbe probe = new LoopProbe(Map.of("probed", loop::postUnlessEnded), () -> now);
  private String status = "waiting for the datastore";

  @BeforeEach
  void start() {
    loop.start(() -> {});
  }

  @AfterEach
  void end() {
    loop.close();
  }

  @Test
  void what_is_waited_for_is_told_when_it_changes_and_the_time_to_start_extended()
      throws Exception {
    ServiceManager manager = manager(Optional.empty());
    look(manager);
    look(manager);
    status = "programming\nthe kernel";
    look(manager);
    assertThat(sink.heard)
        .containsExactly(
            EXTENSION,
            "STATUS=waiting for the datastore",
            EXTENSION,
            EXTENSION,
            "STATUS=programming the kernel");
  }

  @Test
  void the_watchdog_is_fed_only_after_ready_and_only_while_loops_answer() throws Exception {
    ServiceManager manager = manager(Optional.of(Duration.ofSeconds(60)));
    look(manager);
    manager.ready();
    sink.heard.clear();
    look(manager);
    assertThat(sink.heard).containsExactly("WATCHDOG=1");

    CountDownLatch stuck = new CountDownLatch(1);
    loop.post(() -> await(stuck));
    manager.tick();
    sink.heard.clear();
    manager.tick();
    manager.tick();
    assertThat(sink.heard).isEmpty();
    stuck.countDown();
    settle();
    look(manager);
    assertThat(sink.heard).containsExactly("WATCHDOG=1");
  }

  @Test
  void how_long_a_loop_owes_its_answer_is_told_without_a_manager_too() throws Exception {
    ServiceManager manager = manager(Optional.empty());
    assertThat(manager.silences()).isEqualTo(Map.of("probed", Duration.ZERO));
    look(manager);
    now = now.plusSeconds(10);
    CountDownLatch stuck = new CountDownLatch(1);
    loop.post(() -> await(stuck));
    manager.tick();
    now = now.plusSeconds(10);
    manager.tick();
    now = now.plusSeconds(5);
    assertThat(manager.silences()).isEqualTo(Map.of("probed", Duration.ofSeconds(15)));
    stuck.countDown();
    settle();
    assertThat(manager.silences()).isEqualTo(Map.of("probed", Duration.ZERO));

    try (ServiceManager none = ServiceManager.none()) {
      CountDownLatch asked = new CountDownLatch(1);
      none.watch(
          Map.of(
              "mute",
              answer -> {
                asked.countDown();
                return true;
              }),
          () -> now,
          () -> status);
      asked.await();
      now = now.plusSeconds(60);
      assertThat(none.silences()).isEqualTo(Map.of("mute", Duration.ofSeconds(60)));
    }
  }

  @Test
  void a_loop_that_has_ended_feeds_nobody() throws Exception {
    ServiceManager manager = manager(Optional.of(Duration.ofSeconds(60)));
    manager.ready();
    look(manager);
    loop.close();
    manager.tick();
    sink.heard.clear();
    manager.tick();
    assertThat(sink.heard).isEmpty();
  }

  @Test
  void ready_is_told_until_it_was_heard_and_once() throws Exception {
    ServiceManager manager = manager(Optional.empty());
    status = "serving";
    sink.deaf = true;
    manager.ready();
    look(manager);
    sink.deaf = false;
    look(manager);
    look(manager);
    assertThat(sink.heard).containsExactly(EXTENSION, "READY=1\nSTATUS=serving");
  }

  @Test
  void after_stopping_nothing_is_told() throws Exception {
    ServiceManager manager = manager(Optional.of(Duration.ofSeconds(60)));
    manager.stopping();
    manager.stopping();
    manager.ready();
    look(manager);
    assertThat(sink.heard).containsExactly("STOPPING=1\nSTATUS=stopping; the kernel's state stays");
  }

  @Test
  void the_watchdog_is_this_process_own_or_none() {
    assertThat(ServiceManager.watchdog(Map.of("WATCHDOG_USEC", "60000000"), 7))
        .contains(Duration.ofSeconds(60));
    assertThat(ServiceManager.watchdog(Map.of("WATCHDOG_USEC", "60000000", "WATCHDOG_PID", "7"), 7))
        .contains(Duration.ofSeconds(60));
    assertThat(ServiceManager.watchdog(Map.of("WATCHDOG_USEC", "60000000", "WATCHDOG_PID", "8"), 7))
        .isEmpty();
    for (String unusable : List.of("", "0", "-1", "soon", "99999999999999999999")) {
      assertThat(ServiceManager.watchdog(Map.of("WATCHDOG_USEC", unusable), 7))
          .as(unusable)
          .isEmpty();
    }
  }

  private ServiceManager manager(Optional<Duration> watchdog) {
    return new ServiceManager(sink, watchdog, probe, () -> status);
  }

  /// A look after every loop has come to the question before.
  private void look(ServiceManager manager) throws InterruptedException {
    manager.tick();
    settle();
  }

  private void settle() throws InterruptedException {
    CountDownLatch reached = new CountDownLatch(1);
    if (loop.postUnlessEnded(reached::countDown)) {
      reached.await();
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private static final class RecordingSink implements ServiceManager.Sink {
    private final List<String> heard = new ArrayList<>();
    private boolean deaf;

    @Override
    public void send(String datagram) throws LinuxException {
      if (deaf) {
        throw new LinuxException("send", "datagram", Errno.EAGAIN);
      }
      heard.add(datagram);
    }

    @Override
    public void close() {}
  }
}
