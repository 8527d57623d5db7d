package io.margay.agent.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.agent.settings.AgentSettings.HttpAddress;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class HttpRimTest {

  private final TreeMap<String, AgentViews.Reporter> health = new TreeMap<>();
  private boolean countersRefused;
  private final AgentViews views =
      new AgentViews() {
        @Override
        public SortedMap<String, Reporter> health() {
          return health;
        }

        @Override
        public Answer bgp(String target) {
          return new BgpApi(Optional::empty).answer(target);
        }

        @Override
        public List<Map<String, Object>> endpoints() {
          return List.of();
        }

        @Override
        public List<Map<String, Object>> policyCounters() throws IOException {
          if (countersRefused) {
            throw new IOException("no kernel");
          }
          return List.of(Map.of("policy", "shop/db", "packets", 7));
        }

        @Override
        public Map<String, Object> status() {
          return Map.of("nodeName", "n1");
        }
      };

  @Test
  void state_health_and_metrics_are_answered_after_every_resource_was_asked_once()
      throws Exception {
    int port;
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = free.getLocalPort();
    }
    PrometheusRegistry registry = new PrometheusRegistry();
    Counter.builder().name("margay_test").help("A test's.").register(registry).inc();
    health.put("bgp", new AgentViews.Reporter(true, true, "2 of 2 peers"));
    try (HttpRim rim = new HttpRim(new HttpAddress("127.0.0.1", port), views, registry);
        HttpClient client = HttpClient.newHttpClient()) {
      rim.start();
      assertThat(get(client, port, "/api/v1/bgp/peers").body()).isEqualTo("[]");
      assertThat(get(client, port, "/api/v1/bgp/peers/10.0.0.1").statusCode()).isEqualTo(404);
      assertThat(get(client, port, "/api/v1/bgp/rib?lookup=x").statusCode()).isEqualTo(400);
      assertThat(get(client, port, "/api/v1/bgp/routes").body()).isEqualTo("[]");
      assertThat(get(client, port, "/api/v1/endpoints").body()).isEqualTo("[]");
      assertThat(get(client, port, "/api/v1/status").body()).contains("n1");
      assertThat(get(client, port, "/api/v1/policy/counters").body()).contains("shop/db");
      countersRefused = true;
      HttpResponse<String> unread = get(client, port, "/api/v1/policy/counters");
      assertThat(unread.statusCode()).isEqualTo(503);
      assertThat(unread.body()).isEqualTo("{\"error\":\"no kernel\"}");
      assertThat(get(client, port, "/healthcheck").statusCode()).isEqualTo(200);
      health.put("datastore", new AgentViews.Reporter(true, false, "unreachable"));
      HttpResponse<String> unready = get(client, port, "/api/v1/ready");
      assertThat(unready.statusCode()).isEqualTo(503);
      assertThat(unready.body()).contains("unreachable");
      assertThat(get(client, port, "/readiness").statusCode()).isEqualTo(503);
      assertThat(get(client, port, "/liveness").statusCode()).isEqualTo(200);
      health.put("bgp", new AgentViews.Reporter(false, false, "has not answered for 61 s"));
      HttpResponse<String> dead = get(client, port, "/liveness");
      assertThat(dead.statusCode()).isEqualTo(503);
      assertThat(dead.body()).contains("61 s");
      assertThat(get(client, port, "/healthcheck").statusCode()).isEqualTo(503);
      for (String task : List.of("tasks/gc", "tasks/log-level", "threads", "")) {
        HttpRequest tried =
            HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/dropwizard/" + task))
                .POST(HttpRequest.BodyPublishers.noBody())
                .build();
        assertThat(client.send(tried, HttpResponse.BodyHandlers.ofString()).statusCode())
            .as(task)
            .isEqualTo(404);
        assertThat(get(client, port, "/dropwizard/" + task).statusCode()).as(task).isEqualTo(404);
      }
      assertThat(get(client, port, "/metrics").body()).contains("margay_test_total 1.0");
    }
  }

  private static HttpResponse<String> get(HttpClient client, int port, String path)
      throws Exception {
    return client.send(
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path)).build(),
        HttpResponse.BodyHandlers.ofString());
  }
}
