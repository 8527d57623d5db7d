package io.margay.agent.bgp;

import io.margay.bgp.speaker.BgpSpeaker;
import io.margay.bgp.speaker.PeerStatus;
import io.margay.bgp.speaker.RouteQuery;
import io.margay.bgp.speaker.RouteStatus;
import io.margay.bgp.speaker.SessionPhase;
import io.margay.bgp.speaker.SpeakerStatus;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.ScopedAddress;
import io.margay.model.resource.NodeStatusClass;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// The `status` of a CalicoNodeStatus, as Calico's nodes write it. What BIRD has a process a family
/// for is one speaker here, told twice; a session is counted by the family of its address.
public final class NodeStatusReport {

  /// Routes told a family: with more the document would not fit into etcd.
  static final int MAX_ROUTES = 1000;

  private NodeStatusReport() {}

  /// @param classes what is wanted
  /// @param speaker absent while the node has no BGP identity
  /// @param origins why there is each peer
  /// @param version of the agent
  /// @param booted when the agent started
  /// @param configured when the speaker was last given other peers
  /// @throws IllegalStateException when the speaker is closed meanwhile or does not answer
  public static Map<String, Object> of(
      Set<NodeStatusClass> classes,
      Optional<BgpSpeaker> speaker,
      Map<ScopedAddress, PeerOrigin> origins,
      String version,
      Instant booted,
      Instant configured,
      Instant now) {
    Optional<SpeakerStatus> status = speaker.map(BgpSpeaker::status);
    Map<String, Object> report = new LinkedHashMap<>();
    report.put("lastUpdated", seconds(now));
    if (classes.contains(NodeStatusClass.AGENT)) {
      Map<String, Object> daemon = daemon(status, version, booted, configured);
      report.put("agent", Map.of("birdV4", daemon, "birdV6", daemon));
    }
    if (classes.contains(NodeStatusClass.BGP)) {
      report.put("bgp", sessions(status.map(SpeakerStatus::peers).orElse(List.of()), origins));
    }
    if (classes.contains(NodeStatusClass.ROUTES)) {
      Routes routes = new Routes(origins);
      speaker.ifPresent(running -> running.routes(RouteQuery.ALL, routes::add));
      report.put("routes", routes.report());
    }
    return report;
  }

  private static Map<String, Object> daemon(
      Optional<SpeakerStatus> speaker, String version, Instant booted, Instant configured) {
    Map<String, Object> daemon = new LinkedHashMap<>();
    daemon.put("state", speaker.isPresent() ? "Ready" : "NotReady");
    daemon.put("version", version);
    speaker.ifPresent(known -> daemon.put("routerID", known.routerId().toString()));
    daemon.put("lastBootTime", seconds(booted));
    daemon.put("lastReconfigurationTime", seconds(configured));
    return daemon;
  }

  private static String seconds(Instant at) {
    return at.truncatedTo(ChronoUnit.SECONDS).toString();
  }

  private static Map<String, Object> sessions(
      List<PeerStatus> peers, Map<ScopedAddress, PeerOrigin> origins) {
    Map<String, Object> report = new LinkedHashMap<>();
    Map<String, Object> lists = new LinkedHashMap<>();
    for (IpFamily family : IpFamily.values()) {
      List<PeerStatus> own =
          peers.stream().filter(peer -> peer.address().family() == family).toList();
      long up = own.stream().filter(peer -> peer.phase() == SessionPhase.ESTABLISHED).count();
      report.put("numberEstablishedV" + family.version(), up);
      report.put("numberNotEstablishedV" + family.version(), own.size() - up);
      if (!own.isEmpty()) {
        lists.put(
            "peersV" + family.version(), own.stream().map(peer -> session(peer, origins)).toList());
      }
    }
    report.putAll(lists);
    return report;
  }

  private static Map<String, Object> session(
      PeerStatus peer, Map<ScopedAddress, PeerOrigin> origins) {
    Map<String, Object> session = new LinkedHashMap<>();
    session.put("peerIP", peer.address().toString());
    session.put("type", origin(peer.address(), origins).text());
    session.put("state", words(peer.phase()));
    session.put("since", seconds(peer.since()));
    return session;
  }

  private static PeerOrigin origin(ScopedAddress peer, Map<ScopedAddress, PeerOrigin> origins) {
    return origins.getOrDefault(peer, PeerOrigin.NODE_PEER);
  }

  private static String words(SessionPhase phase) {
    return switch (phase) {
      case IDLE -> "Idle";
      case CONNECT -> "Connect";
      case ACTIVE -> "Active";
      case OPEN_SENT -> "OpenSent";
      case OPEN_CONFIRM -> "OpenConfirm";
      case ESTABLISHED -> "Established";
    };
  }

  /// Collects routes up to the limit.
  private static final class Routes {

    private final Map<ScopedAddress, PeerOrigin> origins;
    private final Map<IpFamily, List<Map<String, Object>>> told = new EnumMap<>(IpFamily.class);
    private final Map<IpFamily, Integer> omitted = new EnumMap<>(IpFamily.class);

    Routes(Map<ScopedAddress, PeerOrigin> origins) {
      this.origins = origins;
    }

    void add(RouteStatus route) {
      IpFamily family = route.prefix().family();
      List<Map<String, Object>> rows = told.computeIfAbsent(family, _ -> new ArrayList<>());
      for (RouteStatus.PathStatus path : route.paths()) {
        if (path.role() == RouteStatus.Role.REJECTED) {
          continue;
        }
        if (rows.size() < MAX_ROUTES) {
          rows.add(row(route, path));
        } else {
          omitted.merge(family, 1, Integer::sum);
        }
      }
    }

    private Map<String, Object> row(RouteStatus route, RouteStatus.PathStatus path) {
      boolean forwarded =
          switch (path.role()) {
            case BEST, MULTIPATH -> true;
            case CANDIDATE, INELIGIBLE, REJECTED -> false;
          };
      Map<String, Object> row = new LinkedHashMap<>();
      row.put("type", forwarded ? "FIB" : "RIB");
      row.put("destination", route.prefix().toString());
      ScopedAddress peer = path.peer();
      if (peer == null) {
        row.put("learnedFrom", Map.of("sourceType", "Static"));
        return row;
      }
      IpAddress gateway = path.nextHop();
      if (gateway != null) {
        row.put("gateway", gateway.toString());
      }
      if (peer.scope() != null) {
        row.put("interface", peer.scope().toString());
      }
      Map<String, Object> source = new LinkedHashMap<>();
      source.put(
          "sourceType", origin(peer, origins) == PeerOrigin.NODE_MESH ? "NodeMesh" : "BGPPeer");
      source.put("peerIP", peer.toString());
      row.put("learnedFrom", source);
      return row;
    }

    Map<String, Object> report() {
      Map<String, Object> report = new LinkedHashMap<>();
      told.forEach((family, rows) -> report.put("routesV" + family.version(), rows));
      omitted.forEach((family, rows) -> report.put("omittedV" + family.version(), rows));
      return report;
    }
  }
}
