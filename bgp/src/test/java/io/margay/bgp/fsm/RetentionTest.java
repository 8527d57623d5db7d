package io.margay.bgp.fsm;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.bgp.message.AfiSafi;
import io.margay.bgp.message.Capability;
import io.margay.bgp.message.Notification;
import io.margay.bgp.message.Open;
import io.margay.model.net.Asn;
import io.margay.model.net.IpFamily;
import io.margay.model.net.RouterId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RetentionTest {

  private static final Set<IpFamily> ALL = Set.of(IpFamily.values());
  private static final Notification HOLD = Notification.of(Notification.HOLD_TIMER_EXPIRED, 0);
  private static final Notification SHUTDOWN =
      Notification.of(Notification.CEASE, Notification.CEASE_SHUTDOWN);

  private static Capability.GracefulRestart restart(boolean notification) {
    return new Capability.GracefulRestart(
        false,
        notification,
        Duration.ofSeconds(20),
        List.of(
            new Capability.GracefulRestart.Kept(AfiSafi.IPV4_UNICAST, true),
            new Capability.GracefulRestart.Kept(AfiSafi.IPV6_UNICAST, false)));
  }

  private static Open open(int asn, String id, Capability... more) {
    List<Capability> capabilities = new ArrayList<>(List.of(more));
    capabilities.add(new Capability.MultiProtocol(AfiSafi.IPV4_UNICAST));
    capabilities.add(new Capability.MultiProtocol(AfiSafi.IPV6_UNICAST));
    return new Open(new Asn(asn), Duration.ofSeconds(9), RouterId.parse(id), capabilities);
  }

  private static Negotiated agreed(Open ours, Open peer) {
    SessionConfig config =
        new SessionConfig(false, new ExpectedAs.Any(), ours, Duration.ofSeconds(5), null, null);
    return ((Negotiated.Verdict.Agreed) Negotiated.check(peer, config)).negotiated();
  }

  private static Negotiated session(String kind) {
    return switch (kind) {
      case "none" -> agreed(open(1, "1.1.1.1"), open(2, "2.2.2.2"));
      case "one-sided" -> agreed(open(1, "1.1.1.1"), open(2, "2.2.2.2", restart(true)));
      case "plain" -> agreed(open(1, "1.1.1.1", restart(true)), open(2, "2.2.2.2", restart(false)));
      default -> agreed(open(1, "1.1.1.1", restart(true)), open(2, "2.2.2.2", restart(true)));
    };
  }

  private static EndReason reason(String text) {
    return switch (text) {
      case "lost" -> new EndReason.ConnectionLost("reset");
      case "silent" -> new EndReason.ClosedSilently();
      case "hold sent" -> new EndReason.NotificationSent(HOLD);
      case "cease received" -> new EndReason.NotificationReceived(SHUTDOWN);
      case "hard sent" -> new EndReason.NotificationSent(Notification.hardReset(SHUTDOWN));
      default -> new EndReason.NotificationReceived(Notification.hardReset(SHUTDOWN));
    };
  }

  @ParameterizedTest(name = "restart {0}, {1}: kept {2}")
  @CsvSource({
    "none,         lost,           false",
    "one-sided,    lost,           false",
    "plain,        lost,           true",
    "plain,        silent,         false",
    "plain,        hold sent,      false",
    "plain,        cease received, false",
    "notification, lost,           true",
    "notification, silent,         false",
    "notification, hold sent,      true",
    "notification, cease received, true",
    "notification, hard sent,      false",
    "notification, hard received,  false"
  })
  void routes_are_kept_when_both_agreed_and_nobody_ended_it_for_good(
      String restart, String reason, boolean kept) {
    assertThat(Retention.kept(session(restart), reason(reason))).isEqualTo(kept ? ALL : Set.of());
  }

  @Test
  void only_families_whose_forwarding_went_on_are_believed_after_a_restart() {
    assertThat(Retention.keptForwarding(session("plain"))).containsExactly(IpFamily.IPV4);
    assertThat(Retention.keptForwarding(session("one-sided"))).isEmpty();
    assertThat(Retention.restartTime(session("plain"))).hasSeconds(20);
  }

  @Test
  void an_end_for_good_is_a_hard_reset_where_the_peer_would_wait_otherwise() {
    assertThat(Retention.forGood(session("plain"), SHUTDOWN)).isEqualTo(SHUTDOWN);
    assertThat(Retention.forGood(session("notification"), SHUTDOWN).isHardReset()).isTrue();
  }
}
