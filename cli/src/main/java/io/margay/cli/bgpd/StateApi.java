package io.margay.cli.bgpd;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.margay.agent.http.Answer;
import io.margay.agent.http.BgpApi;
import io.margay.agent.http.BgpMetrics;
import io.margay.bgp.speaker.BgpSpeaker;
import io.margay.model.net.IpFamily;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.expositionformats.ExpositionFormatWriter;
import io.prometheus.metrics.expositionformats.ExpositionFormats;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.ByteArrayOutputStream;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;

/// What bgpd answers over HTTP: readiness, metrics and the speaker's state (docs/api.md).
final class StateApi {

  private final BgpApi speaker;
  private final Supplier<Optional<BgpSpeaker>> present;
  private final PrometheusRegistry registry = new PrometheusRegistry();
  private final ExpositionFormats formats = ExpositionFormats.init();
  private volatile boolean isReady;

  StateApi(Supplier<Optional<BgpSpeaker>> present, Supplier<Optional<FibStatus>> fib) {
    this.present = present;
    this.speaker = new BgpApi(present);
    BgpMetrics.register(registry, present);
    GaugeWithCallback.builder()
        .name("margay_fib_routes")
        .help("Kernel routes by state: wanted, waiting, refused, leftover.")
        .labelNames("family", "state")
        .callback(
            gauge ->
                fib.get()
                    .ifPresent(
                        status ->
                            status
                                .families()
                                .forEach((family, counts) -> routes(gauge, family, counts))))
        .register(registry);
  }

  private static void routes(
      GaugeWithCallback.Callback gauge, IpFamily family, FibStatus.Counts counts) {
    String name = family.name().toLowerCase(Locale.ROOT);
    gauge.call(counts.wanted(), name, "wanted");
    gauge.call(counts.waiting(), name, "waiting");
    gauge.call(counts.refused(), name, "refused");
    gauge.call(counts.leftovers(), name, "leftover");
  }

  /// It listens and knows its neighbors.
  void ready() {
    isReady = true;
  }

  Answer answer(String target, String accept) {
    return switch (target) {
      case "/api/v1/ready", "/healthcheck" -> readiness();
      case "/metrics" -> metrics(accept);
      default -> speaker.answer(target);
    };
  }

  private Answer readiness() {
    boolean now = isReady && present.get().isPresent();
    String body =
        "{\"bgp\":{\"ready\":"
            + now
            + ",\"detail\":\""
            + (now ? "listens and knows its neighbors" : "starting or stopping")
            + "\"}}";
    return new Answer(now ? 200 : 503, Answer.JSON, out -> out.write(body.getBytes(UTF_8)));
  }

  private Answer metrics(String accept) {
    ExpositionFormatWriter writer = formats.findWriter(accept.isEmpty() ? null : accept);
    return new Answer(
        200,
        writer.getContentType(),
        out -> {
          ByteArrayOutputStream body = new ByteArrayOutputStream(16 * 1024);
          writer.write(body, registry.scrape());
          body.writeTo(out);
        });
  }
}
