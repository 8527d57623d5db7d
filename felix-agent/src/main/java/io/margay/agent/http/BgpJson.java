package io.margay.agent.http;

import io.margay.bgp.speaker.PeerStatus;
import io.margay.bgp.speaker.RouteStatus;
import io.margay.bgp.speaker.SessionPhase;
import io.margay.model.net.IpFamily;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// The speaker's snapshots as JSON values. Keys are those FRR uses for the same thing, where it has
/// one (docs/api.md lists them).
public final class BgpJson {

  private BgpJson() {}

  /// @param now to tell how long ago things happened
  public static List<Map<String, Object>> peers(List<PeerStatus> peers, Instant now) {
    return peers.stream().map(peer -> peer(peer, now)).toList();
  }

  private static Map<String, Object> peer(PeerStatus peer, Instant now) {
    Map<String, Object> row = new LinkedHashMap<>();
    row.put("neighbor", peer.address().toString());
    row.put("description", peer.description());
    row.put("remoteAs", peer.asn().toLong());
    row.put("state", state(peer.phase()));
    row.put("peerUptime", uptime(Duration.between(peer.since(), now)));
    row.put("sinceEpoch", peer.since().getEpochSecond());
    PeerStatus.Negotiation session = peer.session();
    if (session != null) {
      row.put("remoteRouterId", session.peerRouterId().toString());
      row.put("localAddress", session.endpoints().local().toString());
      row.put("holdTimeMillis", session.holdTime().toMillis());
      row.put("keepaliveMillis", session.keepalive().toMillis());
      row.put("capabilities", session.capabilities());
      row.put("gracefulRestart", session.gracefulRestart());
      row.put("peerRestarting", session.peerRestarting());
    }
    Map<String, Object> families = new LinkedHashMap<>();
    for (IpFamily family : IpFamily.values()) {
      PeerStatus.FamilyStatus status = peer.families().get(family);
      if (status != null) {
        families.put(family.name().toLowerCase(Locale.ROOT), family(status));
      }
    }
    row.put("families", families);
    row.put("msgRcvd", peer.received().byType());
    row.put("msgSent", peer.sent().byType());
    row.put("connectionsEstablished", peer.history().established());
    String lastError = peer.lastError();
    if (lastError != null) {
      row.put("lastError", lastError);
    }
    return row;
  }

  private static String state(SessionPhase phase) {
    return switch (phase) {
      case IDLE -> "Idle";
      case CONNECT -> "Connect";
      case ACTIVE -> "Active";
      case OPEN_SENT -> "OpenSent";
      case OPEN_CONFIRM -> "OpenConfirm";
      case ESTABLISHED -> "Established";
    };
  }

  private static Map<String, Object> family(PeerStatus.FamilyStatus status) {
    Map<String, Object> row = new LinkedHashMap<>();
    row.put("negotiated", status.negotiated());
    row.put("pfxRcd", status.prefixesReceived());
    row.put("pfxAcc", status.prefixesAccepted());
    row.put("pfxStale", status.prefixesStale());
    row.put("pfxSnt", status.prefixesAdvertised());
    row.put("endOfRibReceived", status.endOfRibReceived());
    row.put("endOfRibSent", status.endOfRibSent());
    return row;
  }

  public static List<Map<String, Object>> routes(List<RouteStatus> routes) {
    List<Map<String, Object>> rows = new ArrayList<>();
    for (RouteStatus route : routes) {
      List<Map<String, Object>> paths = new ArrayList<>();
      for (RouteStatus.PathStatus path : route.paths()) {
        Map<String, Object> row = new LinkedHashMap<>();
        if (path.peer() != null) {
          row.put("peer", path.peer().toString());
        }
        if (path.nextHop() != null) {
          row.put("nextHop", path.nextHop().toString());
        }
        row.put("asPath", path.asPath());
        row.put("communities", path.communities());
        row.put("role", path.role().name().toLowerCase(Locale.ROOT));
        row.put("stale", path.stale());
        row.put("reason", path.reason());
        paths.add(row);
      }
      Map<String, Object> row = new LinkedHashMap<>();
      row.put("prefix", route.prefix().toString());
      row.put("paths", paths);
      rows.add(row);
    }
    return rows;
  }

  /// `1d02h03m`, `02:03:04`: short, and as people know it from routers.
  private static String uptime(Duration time) {
    if (time.toDays() > 0) {
      return "%dd%02dh%02dm".formatted(time.toDays(), time.toHoursPart(), time.toMinutesPart());
    }
    return "%02d:%02d:%02d".formatted(time.toHours(), time.toMinutesPart(), time.toSecondsPart());
  }
}
