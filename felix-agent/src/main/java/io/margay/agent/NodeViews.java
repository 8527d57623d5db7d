package io.margay.agent;

import io.margay.agent.bgp.BgpGlue;
import io.margay.agent.bgp.NodeStatusReport;
import io.margay.agent.dataplane.PolicyCounters;
import io.margay.agent.firewall.PolicyCount;
import io.margay.agent.http.AgentViews;
import io.margay.agent.http.Answer;
import io.margay.agent.http.BgpApi;
import io.margay.agent.settings.AgentSettings;
import io.margay.linux.nft.NftCounter;
import io.margay.model.net.IpFamily;
import io.margay.model.resource.NodeStatusClass;
import io.margay.model.resource.WorkloadEndpoint;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What the HTTP rim shows, from the parts' snapshots.
final class NodeViews implements AgentViews {

  private static final Logger LOG = LoggerFactory.getLogger(NodeViews.class);

  /// How long a reading of counters is waited for.
  private static final Duration COUNTERS_PATIENCE = Duration.ofSeconds(5);

  private final AgentSettings settings;
  private final CalcDriver calc;
  private final BgpGlue bgp;
  private final StartTimes times;
  private final BgpApi speaker;
  private final PolicyCounters counters;
  private final NodeHealth health;

  NodeViews(
      AgentSettings settings,
      CalcDriver calc,
      BgpGlue bgp,
      StartTimes times,
      PolicyCounters counters,
      NodeHealth health) {
    this.settings = settings;
    this.calc = calc;
    this.bgp = bgp;
    this.times = times;
    this.counters = counters;
    this.health = health;
    this.speaker = new BgpApi(bgp::speaker);
  }

  @Override
  public SortedMap<String, Reporter> health() {
    return health.reporters();
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

  /// What policy's rules have counted.
  ///
  /// @throws IOException if they can't be read in time
  List<PolicyCount> counts() throws IOException {
    try {
      return counters.read().get(COUNTERS_PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException refused) {
      Throwable cause = refused.getCause();
      throw new IOException(
          "the kernel's counters can't be read: " + (cause == null ? refused : cause).getMessage(),
          refused);
    } catch (TimeoutException late) {
      throw new IOException(
          "the kernel's counters were not read within "
              + COUNTERS_PATIENCE.toSeconds()
              + " s; ask again",
          late);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IOException("the agent is stopping", interrupted);
    }
  }

  /// As [#counts], for a scrape: none where they can't be read.
  List<PolicyCount> countsIfAny() {
    try {
      return counts();
    } catch (IOException unread) {
      LOG.atWarn()
          .addKeyValue("reason", unread.getMessage())
          .log("a scrape goes without what policy's rules have counted");
      return List.of();
    }
  }

  @Override
  public List<Map<String, Object>> policyCounters() throws IOException {
    List<Map<String, Object>> rows = new ArrayList<>();
    for (PolicyCount count : counts()) {
      PolicyCount.Subject what = count.what();
      Map<String, Object> row = new LinkedHashMap<>();
      row.put("tier", what.tier());
      row.put("kind", what.kind());
      row.put("policy", what.policy());
      row.put("direction", what.direction());
      row.put("rule", what.rule());
      row.put("action", what.action());
      row.put("packets", count.packets());
      row.put("bytes", count.octets());
      row.put("ipv4", family(count.ipv4()));
      row.put("ipv6", family(count.ipv6()));
      rows.add(row);
    }
    return rows;
  }

  private static Map<String, Object> family(NftCounter counter) {
    Map<String, Object> numbers = new LinkedHashMap<>();
    numbers.put("packets", counter.packets());
    numbers.put("bytes", counter.octets());
    return numbers;
  }

  private static String version() {
    String version = NodeViews.class.getPackage().getImplementationVersion();
    return version == null ? "(not packaged)" : version;
  }

  /// What a CalicoNodeStatus is told.
  static Function<Set<NodeStatusClass>, Map<String, Object>> statusReport(
      BgpGlue bgp, InstantSource clock) {
    Instant booted = clock.instant();
    return classes ->
        NodeStatusReport.of(
            classes,
            bgp.speaker(),
            bgp.origins(),
            version(),
            booted,
            bgp.configured(),
            clock.instant());
  }

  @Override
  public Map<String, Object> status() {
    Map<String, Object> status = new LinkedHashMap<>();
    status.put("nodeName", settings.nodeName());
    status.put("version", version());
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
    status.put("bgpProblems", bgp.problems());
    Map<String, Object> drain = new LinkedHashMap<>();
    drain.put("state", bgp.drainState().name().toLowerCase(Locale.ROOT));
    bgp.drainOrder().ifPresent(order -> drain.put("since", order.since().toString()));
    bgp.drainOrder().ifPresent(order -> drain.put("waitSeconds", order.warning().toSeconds()));
    status.put("drain", drain);
    CalcDriver.Snapshot calculated = calc.snapshot();
    status.put("endpoints", calculated.endpoints().size());
    status.put("blocks", calculated.blocks().confirmed().stream().map(Object::toString).toList());
    status.put("borrowed", calculated.blocks().borrowed().stream().map(Object::toString).toList());
    status.put("resourceProblems", calculated.problems());
    Map<String, Object> parts = new LinkedHashMap<>();
    health().forEach((name, reporter) -> parts.put(name, reporter.detail()));
    status.put("health", parts);
    status.put("startMillis", times.asMap());
    return status;
  }
}
