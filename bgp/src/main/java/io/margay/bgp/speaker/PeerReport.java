package io.margay.bgp.speaker;

import io.margay.bgp.fsm.Negotiated;
import io.margay.bgp.fsm.Retention;
import io.margay.bgp.fsm.SessionState;
import io.margay.bgp.message.Capability;
import io.margay.bgp.message.Open;
import io.margay.bgp.rib.FamilyCounts;
import io.margay.model.net.IpFamily;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A peer's session as people read it.
final class PeerReport {

  private PeerReport() {}

  /// Null unless the connection is Established.
  static PeerStatus.@Nullable Negotiation negotiation(PeerConnection connection) {
    Wire wire = connection.wire();
    if (wire == null
        || !(connection.state() instanceof SessionState.Established(Negotiated negotiated))) {
      return null;
    }
    return new PeerStatus.Negotiation(
        negotiated.peer().routerId(),
        wire.endpoints(),
        connection.isOutgoing(),
        negotiated.isInternal(),
        negotiated.holdTime(),
        connection.holdLeft(),
        negotiated.timers().keepalive(),
        connection.keepaliveLeft(),
        negotiated.timers().sendHold(),
        capabilities(negotiated.ours()),
        capabilities(negotiated.peer()),
        negotiated.families(),
        negotiated.addPathReceive(),
        negotiated.addPathSend(),
        negotiated.extendedNextHop(),
        negotiated.gracefulRestart(),
        negotiated.notificationRestart(),
        negotiated.peerGracefulRestart().map(Capability.GracefulRestart::restarting).orElse(false),
        Retention.restartTime(negotiated));
  }

  private static List<String> capabilities(Open open) {
    return open.capabilities().stream().map(Capability::toString).toList();
  }

  static Map<IpFamily, PeerStatus.FamilyStatus> families(
      Map<IpFamily, FamilyCounts> counts, PrefixLimits limits) {
    Map<IpFamily, PeerStatus.FamilyStatus> families = new EnumMap<>(IpFamily.class);
    counts.forEach(
        (family, count) ->
            families.put(
                family,
                new PeerStatus.FamilyStatus(
                    count.negotiated(),
                    count.received(),
                    count.accepted(),
                    count.stale(),
                    count.discarded(),
                    count.best(),
                    count.advertised(),
                    count.toTell(),
                    count.endOfRibReceived(),
                    count.endOfRibSent(),
                    limits.text(family))));
    return families;
  }
}
