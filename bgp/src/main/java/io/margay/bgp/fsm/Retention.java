package io.margay.bgp.fsm;

import io.margay.bgp.message.AfiSafi;
import io.margay.bgp.message.Capability;
import io.margay.bgp.message.Notification;
import io.margay.model.net.IpFamily;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Set;

/// Which routes of a peer outlive its session, and for how long (RFC 4724 §4.2, RFC 8538 §4).
public final class Retention {

  private Retention() {}

  /// Families whose routes stay, as stale, until the peer is back.
  public static Set<IpFamily> kept(Negotiated session, EndReason reason) {
    if (!session.gracefulRestart() || !leavesRoutes(session, reason)) {
      return Set.of();
    }
    Set<IpFamily> kept = EnumSet.noneOf(IpFamily.class);
    Capability.GracefulRestart restart = session.peerGracefulRestart().orElseThrow();
    for (IpFamily family : session.families()) {
      restart.of(AfiSafi.unicast(family)).ifPresent(_ -> kept.add(family));
    }
    return kept;
  }

  private static boolean leavesRoutes(Negotiated session, EndReason reason) {
    return switch (reason) {
      case EndReason.ConnectionLost _ -> true;
      case EndReason.ClosedSilently _ -> false;
      // RFC 8538 §4: "[...] the sending and receiving of a NOTIFICATION message, other than one
      // with Hard Reset, MUST be treated as a TCP connection failure would be."
      case EndReason.NotificationSent(Notification sent) ->
          session.notificationRestart() && !sent.isHardReset();
      case EndReason.NotificationReceived(Notification received) ->
          session.notificationRestart() && !received.isHardReset();
    };
  }

  /// How long the peer asked us to wait for it.
  public static Duration restartTime(Negotiated session) {
    return session
        .peerGracefulRestart()
        .map(Capability.GracefulRestart::restartTime)
        .orElse(Duration.ZERO);
  }

  /// Families the peer says it went on forwarding while it was away (F bit).
  public static Set<IpFamily> keptForwarding(Negotiated session) {
    Set<IpFamily> kept = EnumSet.noneOf(IpFamily.class);
    if (session.gracefulRestart()) {
      Capability.GracefulRestart restart = session.peerGracefulRestart().orElseThrow();
      for (IpFamily family : session.families()) {
        restart
            .of(AfiSafi.unicast(family))
            .filter(Capability.GracefulRestart.Kept::forwarding)
            .ifPresent(_ -> kept.add(family));
      }
    }
    return kept;
  }

  /// How a session is ended for good: with {@link Notification#hardReset} where the peer would take
  /// anything else for a restart (RFC 8538 §3.1).
  public static Notification forGood(Negotiated session, Notification notification) {
    return session.notificationRestart() ? Notification.hardReset(notification) : notification;
  }
}
