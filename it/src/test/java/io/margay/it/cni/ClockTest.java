package io.margay.it.cni;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.it.MovableClock;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// What a node whose clock is set owes nobody any later, or sooner.
@Tag("lab")
class ClockTest {

  private static Node node;
  private static MovableClock clock;

  @BeforeAll
  static void raise() throws Exception {
    node = Node.raise("mgytclock" + ProcessHandle.current().pid());
    clock = new MovableClock(node.directory().resolve("clock"));
    node.killAgent();
    node.startAgent(clock.environment());
    node.awaitAgent();
  }

  @AfterAll
  static void tearDown() {
    node.close();
  }

  /// Believing for five seconds that the datastore says nothing must not last an hour, in which
  /// pods would use up the reserve and STATUS say so.
  @Test
  void the_datastore_is_asked_again_in_time_after_the_clock_was_set_back() throws Exception {
    node.awaitReserve();
    clock.set(Duration.ofHours(1));
    node.signalEtcd("-STOP");
    Pod away;
    try {
      away = Pod.add(node);
    } finally {
      node.signalEtcd("-CONT");
    }
    clock.set(Duration.ZERO);
    boolean isWrittenAtOnce = false;
    for (int i = 0; i < 60 && !isWrittenAtOnce; i++) {
      isWrittenAtOnce = isWrittenByItsAdd();
    }
    assertThat(isWrittenAtOnce).isTrue();
    away.end();
    assertThat(new Invariants(node).settled(Map.of())).isEmpty();
  }

  /// Whether a new pod's address is not one of the reserve, of which the datastore hears later.
  private static boolean isWrittenByItsAdd() throws Exception {
    Pod pod = Pod.add(node);
    assertThat(new Invariants(node).lacking(pod.alone())).isEmpty();
    boolean isOfReserve =
        node.said()
            .lines()
            .filter(line -> line.contains("knows now of a pod that started without it"))
            .anyMatch(line -> line.contains(pod.container()));
    pod.end();
    return !isOfReserve;
  }

  @Test
  void a_pod_that_vanished_is_released_though_the_clock_is_set_back() throws Exception {
    Pod pod = Pod.add(node);
    node.delete(pod.netns());
    clock.set(Duration.ofHours(-1));
    assertThat(new Invariants(node).settled(Map.of())).isEmpty();
    clock.set(Duration.ofDays(2));
    Pod.add(node).end();
    assertThat(new Invariants(node).settled(Map.of())).isEmpty();
    clock.set(Duration.ZERO);
  }
}
