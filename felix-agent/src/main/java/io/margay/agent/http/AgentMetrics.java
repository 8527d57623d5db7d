package io.margay.agent.http;

import io.margay.bgp.speaker.PeerStatus;
import io.margay.bgp.speaker.SessionPhase;
import io.margay.model.net.IpFamily;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.IntSupplier;
import java.util.function.Supplier;

/// The agent's metrics, by the names operators scrape (docs/api.md).
public final class AgentMetrics {

  private static final double NANOS = 1e9;

  private final Histogram cniSeconds;

  /// @param peers the speaker's peers now
  /// @param endpoints how many workload endpoints this node has now
  public AgentMetrics(
      PrometheusRegistry registry, Supplier<List<PeerStatus>> peers, IntSupplier endpoints) {
    cniSeconds =
        Histogram.builder()
            .name("margay_cni_request_seconds")
            .help("Time from a CNI request's arrival to its reply.")
            .labelNames("verb", "outcome")
            .classicUpperBounds(.001, .002, .003, .004, .006, .01, .02, .05, .1, .5, 1, 5)
            .register(registry);
    GaugeWithCallback.builder()
        .name("margay_endpoints")
        .help("Workload endpoints on this node.")
        .callback(gauge -> gauge.call(endpoints.getAsInt()))
        .register(registry);
    GaugeWithCallback.builder()
        .name("margay_bgp_peer_up")
        .help("1 while the session with the neighbor is Established.")
        .labelNames("neighbor")
        .callback(
            gauge ->
                peers
                    .get()
                    .forEach(
                        peer ->
                            gauge.call(
                                peer.phase() == SessionPhase.ESTABLISHED ? 1 : 0,
                                peer.address().toString())))
        .register(registry);
    GaugeWithCallback.builder()
        .name("margay_bgp_peer_prefixes")
        .help("Prefixes by direction: received, accepted, stale, advertised.")
        .labelNames("neighbor", "family", "direction")
        .callback(gauge -> peers.get().forEach(peer -> prefixes(peer, gauge)))
        .register(registry);
  }

  private static void prefixes(PeerStatus peer, GaugeWithCallback.Callback gauge) {
    for (Map.Entry<IpFamily, PeerStatus.FamilyStatus> entry : peer.families().entrySet()) {
      String neighbor = peer.address().toString();
      String family = entry.getKey().name().toLowerCase(Locale.ROOT);
      PeerStatus.FamilyStatus status = entry.getValue();
      gauge.call(status.prefixesReceived(), neighbor, family, "received");
      gauge.call(status.prefixesAccepted(), neighbor, family, "accepted");
      gauge.call(status.prefixesStale(), neighbor, family, "stale");
      gauge.call(status.prefixesAdvertised(), neighbor, family, "advertised");
    }
  }

  /// A CNI request was answered.
  public void onCniRequest(String verb, boolean succeeded, Duration took) {
    cniSeconds.labelValues(verb, succeeded ? "ok" : "error").observe(took.toNanos() / NANOS);
  }
}
