package io.margay.cli.bgpd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.margay.cli.http.HttpClient;
import io.margay.cli.yaml.YamlException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BgpdTest {

  private static final String PEER = "  - {address: 192.0.2.1, asNumber: 65002, passive: true}\n";

  @TempDir private Path directory;
  private Path file = Path.of("");
  private String api = "";
  private String head = "";
  private Bgpd bgpd;

  @BeforeEach
  void start() throws IOException, YamlException {
    int port;
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = free.getLocalPort();
    }
    file = directory.resolve("bgpd.yaml");
    api = "unix:" + directory.resolve("api");
    head =
        "asNumber: 65001\nrouterId: 1.1.1.1\nlisten: {address: 127.0.0.1, port: "
            + port
            + "}\nhttp: "
            + api
            + "\n";
    write("neighbors:\n" + PEER);
    bgpd = Bgpd.start(BgpdConfig.read(file), _ -> {});
  }

  @AfterEach
  void stop() {
    bgpd.stop();
  }

  private void write(String rest) throws IOException {
    Files.writeString(file, head + rest);
  }

  private JsonNode get(String target) throws IOException {
    try (HttpClient.Response response = new HttpClient(api).get(target)) {
      assertThat(response.status()).isEqualTo(200);
      return new JsonMapper().readTree(response.body());
    }
  }

  private Iterable<String> neighbors() throws IOException {
    return get("/api/v1/bgp/peers").findValuesAsText("neighbor");
  }

  @Test
  void once_started_it_is_ready_and_shows_its_neighbors_and_metrics() throws IOException {
    assertThat(get("/api/v1/ready").path("bgp").path("ready").asBoolean()).isTrue();
    assertThat(neighbors()).containsExactly("192.0.2.1");
    assertThat(get("/api/v1/bgp/summary").path("as").asLong()).isEqualTo(65001);
    try (HttpClient.Response metrics = new HttpClient(api).get("/metrics")) {
      assertThat(new String(metrics.body().readAllBytes(), StandardCharsets.UTF_8))
          .contains("margay_bgp_peer_state{neighbor=\"192.0.2.1\"} 3.0");
    }
  }

  @Test
  void a_reload_puts_the_difference_in_force() throws IOException {
    write(
        "neighbors:\n"
            + PEER
            + "  - {address: 192.0.2.2, asNumber: 65003, passive: true}\n"
            + "originate: [10.65.0.0/26]\ngracefulShutdown: true\n");
    bgpd.reload(file);
    assertThat(neighbors()).containsExactly("192.0.2.1", "192.0.2.2");
    assertThat(get("/api/v1/bgp/routes").findValuesAsText("prefix"))
        .containsExactly("10.65.0.0/26");
    assertThat(get("/api/v1/bgp/summary").path("gracefulShutdown").asBoolean()).isTrue();
    write("neighbors: []\n");
    bgpd.reload(file);
    assertThat(neighbors()).isEmpty();
    assertThat(get("/api/v1/bgp/routes")).isEmpty();
  }

  @Test
  void a_bad_file_keeps_the_old_configuration() throws IOException {
    write("neighbors:\n  - {address: 192.0.2.2}\n");
    bgpd.reload(file);
    assertThat(neighbors()).containsExactly("192.0.2.1");
    Files.delete(file);
    bgpd.reload(file);
    assertThat(neighbors()).containsExactly("192.0.2.1");
  }

  @Test
  void another_as_number_makes_another_speaker() throws IOException {
    head = head.replace("65001", "65009");
    write("neighbors:\n" + PEER);
    bgpd.reload(file);
    assertThat(get("/api/v1/bgp/summary").path("as").asLong()).isEqualTo(65009);
    assertThat(neighbors()).containsExactly("192.0.2.1");
  }

  @Test
  void a_second_one_is_told_that_the_port_is_taken() throws YamlException, IOException {
    Files.writeString(file, head.replace(api, "none") + "neighbors: []\n");
    BgpdConfig second = BgpdConfig.read(file);
    assertThatThrownBy(() -> Bgpd.start(second, _ -> {}))
        .isInstanceOf(IOException.class)
        .message()
        .contains("127.0.0.1")
        .doesNotContain("\n");
    assertThat(neighbors()).containsExactly("192.0.2.1");
  }
}
