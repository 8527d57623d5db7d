package io.margay.agent.http;

import io.margay.bgp.rib.TableCounts;
import io.margay.bgp.speaker.BgpSpeaker;
import io.margay.bgp.speaker.PeerStatus;
import io.margay.bgp.speaker.SessionPhase;
import io.margay.model.net.IpFamily;
import io.prometheus.metrics.core.metrics.CounterWithCallback;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/// The speaker's metrics, the same for the agent and for bgpd (docs/api.md). Each scrape asks the
/// speaker.
public final class BgpMetrics {

  private static final double MILLIS = 1e3;

  private final Supplier<Optional<BgpSpeaker>> speaker;

  private BgpMetrics(Supplier<Optional<BgpSpeaker>> speaker) {
    this.speaker = speaker;
  }

  /// @param speaker the speaker now; empty while there is none
  public static void register(PrometheusRegistry registry, Supplier<Optional<BgpSpeaker>> speaker) {
    BgpMetrics metrics = new BgpMetrics(speaker);
    metrics.sessions(registry);
    metrics.counters(registry);
    metrics.tables(registry);
  }

  private List<PeerStatus> peers() {
    return speaker.get().map(now -> now.status().peers()).orElse(List.of());
  }

  private void sessions(PrometheusRegistry registry) {
    GaugeWithCallback.builder()
        .name("margay_bgp_peer_up")
        .help("1 while the session with the neighbor is Established.")
        .labelNames("neighbor")
        .callback(gauge -> peers().forEach(peer -> gauge.call(isUp(peer) ? 1 : 0, name(peer))))
        .register(registry);
    GaugeWithCallback.builder()
        .name("margay_bgp_peer_state")
        .help(
            "RFC 4271 state: 1 Idle, 2 Connect, 3 Active, 4 OpenSent, 5 OpenConfirm, 6"
                + " Established.")
        .labelNames("neighbor")
        .callback(gauge -> peers().forEach(peer -> gauge.call(number(peer.phase()), name(peer))))
        .register(registry);
    GaugeWithCallback.builder()
        .name("margay_bgp_peer_uptime_seconds")
        .help("For how long the session has been Established.")
        .labelNames("neighbor")
        .callback(
            gauge ->
                peers()
                    .forEach(
                        peer ->
                            gauge.call(
                                isUp(peer) ? peer.age().toMillis() / MILLIS : 0, name(peer))))
        .register(registry);
    GaugeWithCallback.builder()
        .name("margay_bgp_peer_prefixes")
        .help(
            "Prefixes by direction: received, accepted, best, stale, discarded, advertised,"
                + " waiting.")
        .labelNames("neighbor", "family", "direction")
        .callback(gauge -> peers().forEach(peer -> prefixes(peer, gauge)))
        .register(registry);
    GaugeWithCallback.builder()
        .name("margay_bgp_peer_out_queue_octets")
        .help("What waits for the neighbor to accept it.")
        .labelNames("neighbor")
        .callback(
            gauge ->
                peers().forEach(peer -> gauge.call((double) peer.sendQueueOctets(), name(peer))))
        .register(registry);
  }

  private void counters(PrometheusRegistry registry) {
    CounterWithCallback.builder()
        .name("margay_bgp_peer_messages_total")
        .help("Messages by direction and type.")
        .labelNames("neighbor", "direction", "type")
        .callback(
            counter ->
                peers()
                    .forEach(
                        peer -> {
                          messages(counter, name(peer), "received", peer.received());
                          messages(counter, name(peer), "sent", peer.sent());
                        }))
        .register(registry);
    CounterWithCallback.builder()
        .name("margay_bgp_peer_sessions_total")
        .help("Sessions by event: established, dropped.")
        .labelNames("neighbor", "event")
        .callback(
            counter ->
                peers()
                    .forEach(
                        peer -> {
                          counter.call(
                              (double) peer.history().established(), name(peer), "established");
                          counter.call((double) peer.history().dropped(), name(peer), "dropped");
                        }))
        .register(registry);
    CounterWithCallback.builder()
        .name("margay_bgp_peer_malformed_updates_total")
        .help("UPDATEs that were wrong, by outcome (RFC 7606): withdraw, discard.")
        .labelNames("neighbor", "outcome")
        .callback(
            counter ->
                peers()
                    .forEach(
                        peer -> {
                          PeerStatus.Malformed malformed = peer.history().malformed();
                          counter.call(
                              (double) malformed.treatedAsWithdraw(), name(peer), "withdraw");
                          counter.call(
                              (double) malformed.attributesDiscarded(), name(peer), "discard");
                        }))
        .register(registry);
  }

  private void tables(PrometheusRegistry registry) {
    GaugeWithCallback.builder()
        .name("margay_bgp_table")
        .help("The table by what is counted: prefixes, paths, best, originated.")
        .labelNames("family", "count")
        .callback(
            gauge ->
                speaker
                    .get()
                    .ifPresent(
                        now -> {
                          for (IpFamily family : IpFamily.values()) {
                            TableCounts counts = now.table(family);
                            String label = BgpJson.name(family);
                            gauge.call(counts.prefixes(), label, "prefixes");
                            gauge.call(counts.paths(), label, "paths");
                            gauge.call(counts.best(), label, "best");
                            gauge.call(counts.originated(), label, "originated");
                          }
                        }))
        .register(registry);
  }

  private static void prefixes(PeerStatus peer, GaugeWithCallback.Callback gauge) {
    for (Map.Entry<IpFamily, PeerStatus.FamilyStatus> entry : peer.families().entrySet()) {
      String neighbor = name(peer);
      String family = BgpJson.name(entry.getKey());
      PeerStatus.FamilyStatus status = entry.getValue();
      gauge.call(status.prefixesReceived(), neighbor, family, "received");
      gauge.call(status.prefixesAccepted(), neighbor, family, "accepted");
      gauge.call(status.prefixesBest(), neighbor, family, "best");
      gauge.call(status.prefixesStale(), neighbor, family, "stale");
      gauge.call(status.prefixesDiscarded(), neighbor, family, "discarded");
      gauge.call(status.prefixesAdvertised(), neighbor, family, "advertised");
      gauge.call(status.prefixesToTell(), neighbor, family, "waiting");
    }
  }

  private static void messages(
      CounterWithCallback.Callback counter,
      String neighbor,
      String direction,
      PeerStatus.Messages messages) {
    messages.byType().forEach((type, count) -> counter.call(count, neighbor, direction, type));
  }

  private static boolean isUp(PeerStatus peer) {
    return peer.phase() == SessionPhase.ESTABLISHED;
  }

  private static String name(PeerStatus peer) {
    return peer.address().toString();
  }

  private static int number(SessionPhase phase) {
    return switch (phase) {
      case IDLE -> 1;
      case CONNECT -> 2;
      case ACTIVE -> 3;
      case OPEN_SENT -> 4;
      case OPEN_CONFIRM -> 5;
      case ESTABLISHED -> 6;
    };
  }
}
