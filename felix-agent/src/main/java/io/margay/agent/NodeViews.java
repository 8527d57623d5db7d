package io.margay.agent;

import io.margay.agent.bgp.BgpGlue;
import io.margay.agent.dataplane.Dataplane;
import io.margay.agent.dataplane.DataplaneStatus;
import io.margay.agent.http.AgentViews;
import io.margay.agent.http.Answer;
import io.margay.agent.http.BgpApi;
import io.margay.agent.settings.AgentSettings;
import io.margay.bgp.speaker.PeerStatus;
import io.margay.bgp.speaker.SessionPhase;
import io.margay.datastore.SyncStatus;
import io.margay.model.net.IpFamily;
import io.margay.model.resource.WorkloadEndpoint;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/// What the HTTP rim shows, from the parts' snapshots.
final class NodeViews implements AgentViews {

  private final AgentSettings settings;
  private final CalcDriver calc;
  private final Dataplane dataplane;
  private final BgpGlue bgp;
  private final StartTimes times;
  private final BgpApi speaker;

  NodeViews(
      AgentSettings settings,
      CalcDriver calc,
      Dataplane dataplane,
      BgpGlue bgp,
      StartTimes times,
      InstantSource clock) {
    this.settings = settings;
    this.calc = calc;
    this.dataplane = dataplane;
    this.bgp = bgp;
    this.times = times;
    this.speaker = new BgpApi(bgp::speaker, clock);
  }

  @Override
  public SortedMap<String, Reporter> health() {
    SortedMap<String, Reporter> parts = new TreeMap<>();
    parts.put("cni", new Reporter(times.isReady(), times.isReady() ? "taking calls" : "starting"));
    parts.put("datastore", datastore());
    DataplaneStatus kernel = dataplane.status();
    parts.put(
        "dataplane",
        new Reporter(
            kernel.problem().isEmpty(),
            kernel.problem().orElse("the kernel holds what is desired")));
    List<PeerStatus> peers = bgp.peers();
    long up = peers.stream().filter(peer -> peer.phase() == SessionPhase.ESTABLISHED).count();
    // A node whose peers are all down still takes pods: graceful restart or a second link may cover
    // it.
    parts.put(
        "bgp",
        new Reporter(
            bgp.status().isPresent(),
            bgp.status().isPresent()
                ? up + " of " + peers.size() + " peers established"
                : "no BGP identity"));
    return parts;
  }

  private Reporter datastore() {
    return switch (calc.syncStatus()) {
      case SyncStatus.InSync(long revision) ->
          new Reporter(true, "in sync at revision " + revision);
      case SyncStatus.Stale(var since, String reason) ->
          new Reporter(true, "away since " + since + ", what is known stays in force: " + reason);
      case SyncStatus.Waiting(String reason) -> new Reporter(false, "waiting: " + reason);
    };
  }

  @Override
  public Answer bgp(String target) {
    return speaker.answer(target);
  }

  @Override
  public List<Map<String, Object>> endpoints() {
    List<Map<String, Object>> rows = new ArrayList<>();
    for (WorkloadEndpoint endpoint : calc.snapshot().endpoints()) {
      Map<String, Object> row = new LinkedHashMap<>();
      row.put("namespace", endpoint.metadata().namespaceOrEmpty());
      row.put("name", endpoint.metadata().name());
      row.put("pod", endpoint.spec().pod() == null ? "" : endpoint.spec().pod());
      row.put(
          "containerID",
          endpoint.spec().containerID() == null ? "" : endpoint.spec().containerID());
      row.put("interface", String.valueOf(endpoint.spec().interfaceName()));
      row.put("addresses", endpoint.spec().ipNetworks().stream().map(Object::toString).toList());
      row.put("labels", endpoint.metadata().labels());
      rows.add(row);
    }
    rows.sort(
        (a, b) ->
            (a.get("namespace") + "/" + a.get("name"))
                .compareTo(b.get("namespace") + "/" + b.get("name")));
    return rows;
  }

  @Override
  public Map<String, Object> status() {
    Map<String, Object> status = new LinkedHashMap<>();
    status.put("nodeName", settings.nodeName());
    String version = NodeViews.class.getPackage().getImplementationVersion();
    status.put("version", version == null ? "(not packaged)" : version);
    bgp.status()
        .ifPresent(
            speaker -> {
              Map<String, Object> identity = new LinkedHashMap<>();
              identity.put("asNumber", speaker.asn().toLong());
              identity.put("routerId", speaker.routerId().toString());
              identity.put("announced", speaker.originated());
              identity.put(
                  "awaitingEndOfRib",
                  speaker.awaitingEndOfRib().stream()
                      .map((IpFamily family) -> family.name().toLowerCase(Locale.ROOT))
                      .sorted()
                      .toList());
              status.put("bgp", identity);
            });
    CalcDriver.Snapshot calculated = calc.snapshot();
    status.put("endpoints", calculated.endpoints().size());
    status.put("blocks", calculated.blocks().confirmed().stream().map(Object::toString).toList());
    status.put("borrowed", calculated.blocks().borrowed().stream().map(Object::toString).toList());
    status.put("resourceProblems", calculated.problems());
    Map<String, Object> health = new LinkedHashMap<>();
    health().forEach((name, reporter) -> health.put(name, reporter.detail()));
    status.put("health", health);
    status.put("startMillis", times.asMap());
    return status;
  }
}
