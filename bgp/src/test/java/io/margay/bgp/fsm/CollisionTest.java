package io.margay.bgp.fsm;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.bgp.message.AfiSafi;
import io.margay.bgp.message.Capability;
import io.margay.bgp.message.Open;
import io.margay.model.net.Asn;
import io.margay.model.net.RouterId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CollisionTest {

  enum Restart {
    NONE,
    OFFERED,
    RESTARTING
  }

  private static Open open(int asn, String id, Restart restart) {
    List<Capability> capabilities = new ArrayList<>();
    capabilities.add(new Capability.MultiProtocol(AfiSafi.IPV4_UNICAST));
    if (restart != Restart.NONE) {
      capabilities.add(
          new Capability.GracefulRestart(
              restart == Restart.RESTARTING,
              true,
              Duration.ofSeconds(20),
              List.of(new Capability.GracefulRestart.Kept(AfiSafi.IPV4_UNICAST, true))));
    }
    return new Open(new Asn(asn), Duration.ofSeconds(9), RouterId.parse(id), capabilities);
  }

  private static Negotiated agreed(String peerId, Restart peer) {
    SessionConfig config =
        new SessionConfig(
            false,
            new ExpectedAs.Any(),
            open(65001, "10.0.0.5", Restart.OFFERED),
            Duration.ofSeconds(5),
            null,
            null);
    return ((Negotiated.Verdict.Agreed) Negotiated.check(open(65002, peerId, peer), config))
        .negotiated();
  }

  @ParameterizedTest(name = "the peer is {0}, our connection gets its OPEN: {1}, theirs: {2}")
  @CsvSource({"10.0.0.9, OTHER, ARRIVED", "10.0.0.1, ARRIVED, OTHER"})
  void of_two_confirmed_connections_that_of_the_higher_identifier_stays(
      String peer, Collision.Verdict onOurs, Collision.Verdict onTheirs) {
    SessionState.OpenConfirm confirm = new SessionState.OpenConfirm(agreed(peer, Restart.OFFERED));
    assertThat(Collision.judge(confirm, true, confirm, false, false)).isEqualTo(onOurs);
    assertThat(Collision.judge(confirm, false, confirm, true, false)).isEqualTo(onTheirs);
  }

  @Test
  void a_connection_without_an_open_yet_can_lose_but_not_win() {
    SessionState.OpenConfirm high =
        new SessionState.OpenConfirm(agreed("10.0.0.9", Restart.OFFERED));
    SessionState sent = new SessionState.OpenSent();
    assertThat(Collision.judge(high, false, sent, true, false))
        .isEqualTo(Collision.Verdict.ARRIVED);
    assertThat(Collision.judge(high, true, sent, false, false)).isEqualTo(Collision.Verdict.BOTH);
  }

  @Test
  void what_is_not_connected_does_not_collide() {
    SessionState.OpenConfirm confirm =
        new SessionState.OpenConfirm(agreed("10.0.0.9", Restart.OFFERED));
    for (SessionState state :
        List.of(new SessionState.Idle(), new SessionState.Connect(), new SessionState.Active())) {
      assertThat(Collision.judge(confirm, false, state, true, false))
          .isEqualTo(Collision.Verdict.BOTH);
    }
  }

  @Test
  void a_session_is_safe_from_the_connection_of_the_lower_identifier() {
    SessionState.OpenConfirm low =
        new SessionState.OpenConfirm(agreed("10.0.0.1", Restart.OFFERED));
    SessionState up = new SessionState.Established(agreed("10.0.0.1", Restart.OFFERED));
    assertThat(Collision.judge(low, false, up, true, true)).isEqualTo(Collision.Verdict.OTHER);
    assertThat(Collision.judge(low, true, up, false, true)).isEqualTo(Collision.Verdict.BOTH);
  }

  @Test
  void a_connection_that_the_peer_may_have_chosen_already_outlives_the_start_of_a_session() {
    Negotiated up = agreed("10.0.0.9", Restart.OFFERED);
    SessionState sent = new SessionState.OpenSent();
    assertThat(Collision.mayStillWin(up, true, sent, false)).isTrue();
    assertThat(Collision.mayStillWin(up, false, sent, true)).isFalse();
    assertThat(Collision.mayStillWin(up, true, new SessionState.Connect(), false)).isFalse();
    assertThat(Collision.mayStillWin(up, false, sent, false)).isFalse();
  }

  @ParameterizedTest(name = "session {0}, new OPEN {1}, ours {2}, fresh {3}: {4}")
  @CsvSource({
    // Without graceful restart nothing beats an established session.
    "NONE,       NONE,       false, false, OTHER",
    // RFC 4724 §5.
    "OFFERED,    OFFERED,    false, false, ARRIVED_AFTER_RESTART",
    "OFFERED,    RESTARTING, false, false, ARRIVED_AFTER_RESTART",
    "OFFERED,    RESTARTING, false, true,  ARRIVED_AFTER_RESTART",
    // Both ends connected at once, and the peer has the higher identifier.
    "NONE,       NONE,       false, true,  BOTH",
    "OFFERED,    OFFERED,    false, true,  BOTH",
    "RESTARTING, RESTARTING, false, true,  BOTH",
    // We opened it: that says nothing of the peer.
    "OFFERED,    RESTARTING, true,  false, OTHER"
  })
  void only_a_restarted_peer_replaces_its_established_session(
      Restart session, Restart arrived, boolean ours, boolean fresh, Collision.Verdict expected) {
    assertThat(
            Collision.judge(
                new SessionState.OpenConfirm(agreed("10.0.0.9", arrived)),
                ours,
                new SessionState.Established(agreed("10.0.0.9", session)),
                !ours,
                fresh))
        .isEqualTo(expected);
  }
}
