package io.margay.agent.bgp;

import static io.margay.agent.calc.Documents.document;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.agent.calc.Documents;
import io.margay.agent.settings.AgentSettings;
import io.margay.bgp.policy.ExportMode;
import io.margay.bgp.policy.ImportMode;
import io.margay.bgp.speaker.PeerConfig;
import io.margay.model.net.Ipv4Address;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DrainTest {

  private static final Instant NOW = Instant.parse("2026-11-29T11:20:00Z");
  private static final AgentSettings.Bgp SETTINGS =
      new AgentSettings.Bgp(
          Optional.of(Ipv4Address.parse("10.0.0.1")),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          true);

  private static BgpIntent intent(String annotation, String documents) {
    String node =
        """
        apiVersion: projectcalico.org/v3
        kind: Node
        metadata: {name: n1, annotations: {margay.io/drain: '%s'}}
        spec: {}
        ---
        """
            .formatted(annotation);
    return BgpIntent.of("n1", SETTINGS, Documents.view(node + documents), List.of(), Passwords.NONE)
        .orElseThrow();
  }

  @Test
  void an_order_survives_the_annotation_it_is_kept_in() {
    DrainOrder order = new DrainOrder(NOW.plusMillis(300), Duration.ofSeconds(30));
    assertThat(order).hasToString("2026-11-29T11:20:00Z wait 30s");
    assertThat(DrainOrder.parse(order.toString())).isEqualTo(order);
    assertThat(intent(order.toString(), "").drain()).contains(order);
    assertThat(intent(order.toString(), "").problems()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "true",
        "now wait 30s",
        "2026-11-29T11:20:00Z",
        "2026-11-29T11:20:00Z wait 2h",
        "2026-11-29T11:20:00Z wait 9999s"
      })
  void what_is_no_order_drains_nothing_and_is_a_problem(String text) {
    assertThatThrownBy(() -> DrainOrder.parse(text)).isInstanceOf(IllegalArgumentException.class);
    BgpIntent intent = intent(text, "");
    assertThat(intent.drain()).isEmpty();
    assertThat(intent.problems())
        .singleElement()
        .asString()
        .contains("Node n1: annotation margay.io/drain", "not drained");
  }

  @ParameterizedTest
  @CsvSource({"0, 30", "10, 20", "30, 0", "3600, 0", "-10, 30"})
  void peers_are_warned_for_the_wait_and_no_longer_whatever_clocks_say(long elapsed, long left) {
    DrainOrder order = new DrainOrder(NOW, Duration.ofSeconds(30));
    assertThat(order.remaining(NOW.plusSeconds(elapsed))).hasSeconds(left);
  }

  @Test
  void a_silenced_peer_is_told_nothing_whatever_its_filters_accept_and_tells_what_it_did() {
    BgpIntent intent =
        intent(
            "2026-11-29T11:20:00Z wait 30s",
            document(
                    "BGPFilter",
                    "f",
                    "{exportV4: [{action: Accept}], importV4: [{action: Reject}]}")
                + document(
                    "BGPPeer", "tor", "{peerIP: 172.16.0.0, asNumber: 65001, filters: [f]}"));
    PeerConfig silenced = Drain.silenced(intent.peers()).getFirst();
    assertThat(silenced.policy().exportMode()).isEqualTo(ExportMode.NONE);
    assertThat(silenced.policy().importMode()).isEqualTo(ImportMode.ACCEPT);
    assertThat(silenced.policy().filters().getFirst().exportV4()).isEmpty();
    assertThat(silenced.policy().filters().getFirst().importV4()).hasSize(1);
    assertThat(silenced.toBuilder().policy(intent.peers().getFirst().policy()).build())
        .isEqualTo(intent.peers().getFirst());
  }
}
