package io.margay.bgp.bfd;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BfdSessionTest {

  private static final BfdParameters FAST = new BfdParameters(Duration.ofMillis(300), 3);
  private static final long MILLI = 1_000_000;

  private final List<BfdPacket> sent = new ArrayList<>();
  private final List<BfdChange> changes = new ArrayList<>();

  private BfdSession session(BfdParameters parameters) {
    return new BfdSession(
        7,
        parameters,
        0,
        new Random(1),
        new BfdSession.Out() {
          @Override
          public void send(BfdPacket packet) {
            sent.add(packet);
          }

          @Override
          public void changed(BfdChange change) {
            changes.add(change);
          }
        });
  }

  private static BfdPacket from(BfdState state, boolean poll, boolean last, int micros) {
    return new BfdPacket(
        BfdDiagnostic.NONE, state, poll, last, false, false, 3, 99, 7, micros, micros, 0);
  }

  private static BfdPacket from(BfdState state) {
    return from(state, false, false, 300_000);
  }

  private BfdSession in(BfdState state) {
    BfdSession session = session(FAST);
    switch (state) {
      case DOWN -> {}
      case ADMIN_DOWN -> session.adminDown(0);
      case INIT -> session.receive(from(BfdState.DOWN), 0);
      case UP -> session.receive(from(BfdState.INIT), 0);
    }
    assertThat(session.state()).isEqualTo(state);
    sent.clear();
    changes.clear();
    return session;
  }

  @ParameterizedTest(name = "{0} hears {1}: {2}")
  @CsvSource({
    "DOWN,       ADMIN_DOWN, DOWN",
    "DOWN,       DOWN,       INIT",
    "DOWN,       INIT,       UP",
    "DOWN,       UP,         DOWN",
    "INIT,       ADMIN_DOWN, DOWN",
    "INIT,       DOWN,       INIT",
    "INIT,       INIT,       UP",
    "INIT,       UP,         UP",
    "UP,         ADMIN_DOWN, DOWN",
    "UP,         DOWN,       DOWN",
    "UP,         INIT,       UP",
    "UP,         UP,         UP",
    "ADMIN_DOWN, ADMIN_DOWN, ADMIN_DOWN",
    "ADMIN_DOWN, DOWN,       ADMIN_DOWN",
    "ADMIN_DOWN, INIT,       ADMIN_DOWN",
    "ADMIN_DOWN, UP,         ADMIN_DOWN",
  })
  void the_state_machine_is_that_of_section_6_2(BfdState state, BfdState heard, BfdState next) {
    BfdSession session = in(state);
    session.receive(from(heard), MILLI);
    assertThat(session.state()).isEqualTo(next);
    assertThat(changes).hasSize(state == BfdState.UP ^ next == BfdState.UP ? 1 : 0);
  }

  @Test
  void the_peers_operator_is_no_failure() {
    BfdSession session = in(BfdState.UP);
    session.receive(from(BfdState.ADMIN_DOWN), MILLI);
    assertThat(changes).containsExactly(new BfdChange.AdminDown());
  }

  @Test
  void a_silent_peer_is_down_after_its_own_multiplier_times_the_slower_interval() {
    BfdSession session = in(BfdState.UP);
    session.receive(
        new BfdPacket(
            BfdDiagnostic.NONE, BfdState.UP, false, true, true, false, 5, 99, 7, 500_000, 1, 0),
        0);
    assertThat(session.detectionMicros()).isEqualTo(2_500_000);
    session.tick(2_499 * MILLI);
    assertThat(session.state()).isEqualTo(BfdState.UP);
    session.tick(2_500 * MILLI);
    assertThat(session.state()).isEqualTo(BfdState.DOWN);
    assertThat(session.remoteDiscriminator()).isZero();
    assertThat(changes)
        .containsExactly(new BfdChange.Down(BfdDiagnostic.DETECTION_TIME_EXPIRED, true));
    assertThat(sent.getLast().diagnostic()).isEqualTo(BfdDiagnostic.DETECTION_TIME_EXPIRED);
    assertThat(sent.getLast().state()).isEqualTo(BfdState.DOWN);
  }

  @Test
  void a_session_that_is_not_up_sends_no_faster_than_once_a_second() {
    BfdSession session = in(BfdState.INIT);
    assertThat(session.sendIntervalMicros()).isEqualTo(BfdSession.SLOW_MICROS);
    session.receive(from(BfdState.UP), MILLI);
    assertThat(session.sendIntervalMicros()).isEqualTo(300_000);
  }

  @Test
  void coming_up_polls_until_the_peer_has_answered() {
    BfdSession session = in(BfdState.UP);
    assertThat(session.isPolling()).isTrue();
    session.tick(session.nextDeadline());
    assertThat(sent.getLast().poll()).isTrue();
    session.receive(from(BfdState.UP, false, true, 300_000), 400 * MILLI);
    session.tick(session.nextDeadline());
    assertThat(sent.getLast().poll()).isFalse();
  }

  @Test
  void a_poll_is_answered_at_once() {
    BfdSession session = in(BfdState.UP);
    session.receive(from(BfdState.UP, true, false, 300_000), MILLI);
    assertThat(sent).singleElement().matches(packet -> packet.last() && !packet.poll());
  }

  @Test
  void slower_sending_and_faster_receiving_wait_for_the_answer() {
    BfdSession session = in(BfdState.UP);
    session.receive(from(BfdState.UP, false, true, 10_000), 0);
    session.configure(new BfdParameters(Duration.ofMillis(900), 3), MILLI);
    assertThat(session.sendIntervalMicros()).isEqualTo(300_000);
    assertThat(session.detectionMicros()).isEqualTo(2_700_000);
    assertThat(sent.getLast().desiredMinTx()).isEqualTo(900_000);
    session.receive(from(BfdState.UP, false, true, 10_000), 2 * MILLI);
    assertThat(session.sendIntervalMicros()).isEqualTo(900_000);
    assertThat(session.detectionMicros()).isEqualTo(2_700_000);

    session.configure(new BfdParameters(Duration.ofMillis(100), 3), 3 * MILLI);
    assertThat(session.sendIntervalMicros()).isEqualTo(100_000);
    assertThat(session.detectionMicros()).isEqualTo(2_700_000);
    session.receive(from(BfdState.UP, false, true, 10_000), 4 * MILLI);
    assertThat(session.detectionMicros()).isEqualTo(300_000);
  }

  @Test
  void nothing_is_sent_to_a_peer_that_cannot_receive_or_asks_for_silence() {
    BfdSession session = in(BfdState.UP);
    session.receive(
        new BfdPacket(
            BfdDiagnostic.NONE, BfdState.UP, false, true, false, false, 3, 99, 7, 300_000, 0, 0),
        0);
    session.tick(session.nextDeadline());
    assertThat(sent).isEmpty();
    session.receive(
        new BfdPacket(
            BfdDiagnostic.NONE, BfdState.UP, false, false, false, true, 3, 99, 7, 300_000, 1, 0),
        MILLI);
    session.tick(400 * MILLI);
    assertThat(sent).isEmpty();
  }

  @ParameterizedTest(name = "multiplier {0}")
  @CsvSource({"1, 0.75, 0.90", "3, 0.75, 1.0"})
  void packets_come_early_by_the_jitter_of_section_6_8_7(
      int multiplier, double least, double most) {
    BfdSession session = session(new BfdParameters(Duration.ofSeconds(1), multiplier));
    long last = 0;
    session.tick(0);
    for (int i = 0; i < 1000; i++) {
      long next = session.nextDeadline();
      assertThat((next - last) / 1e9).isBetween(least, most);
      session.tick(next);
      last = next;
    }
    assertThat(sent).hasSize(1001);
  }
}
