package io.margay.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.agent.dataplane.DataplaneStatus;
import io.margay.agent.http.AgentViews.Reporter;
import io.margay.bgp.speaker.PeerStatus;
import io.margay.datastore.SyncStatus;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

class NodeHealthTest {

  private final Map<String, Duration> silences =
      new HashMap<>(
          Map.of("calc", Duration.ZERO, "dataplane", Duration.ZERO, "bgp", Duration.ZERO));
  private boolean serves = true;
  private SyncStatus sync = new SyncStatus.InSync(7);
  private Optional<String> refused = Optional.empty();
  private Supplier<Optional<List<PeerStatus>>> speaker = () -> Optional.of(List.of());

  private final NodeHealth health =
      new NodeHealth(
          () -> silences,
          () -> serves,
          () -> sync,
          () -> new DataplaneStatus(0, refused),
          () -> speaker.get());

  private Reporter part(String name) {
    return Objects.requireNonNull(health.reporters().get(name), name);
  }

  @Test
  void a_well_node_has_every_part_by_name() {
    assertThat(health.reporters())
        .containsOnlyKeys("bgp", "calc", "cni", "dataplane", "datastore")
        .allSatisfy((_, part) -> assertThat(part.live() && part.ready()).isTrue());
    assertThat(part("bgp").detail()).isEqualTo("0 of 0 peers established");
  }

  @Test
  void what_is_away_or_refused_is_unready_and_alive() {
    serves = false;
    sync = new SyncStatus.Waiting("connection refused");
    refused = Optional.of("EPERM");
    speaker = Optional::empty;
    for (String part : List.of("bgp", "cni", "dataplane", "datastore")) {
      Reporter reporter = part(part);
      assertThat(reporter.live()).as(part).isTrue();
      assertThat(reporter.ready()).as(part).isFalse();
    }
    assertThat(part("datastore").detail()).isEqualTo("waiting: connection refused");
  }

  @Test
  void a_loop_that_owes_its_answer_is_dead_after_a_minute_whatever_its_part_says() {
    silences.put("calc", Duration.ofSeconds(59));
    silences.put("dataplane", Duration.ofSeconds(60));
    assertThat(part("calc")).isEqualTo(new Reporter(true, true, "answers"));
    assertThat(part("dataplane"))
        .isEqualTo(new Reporter(false, false, "has not answered for 60 s; restart the agent"));
  }

  @Test
  void a_speaker_that_is_stuck_is_not_asked_for_its_peers() {
    silences.put("bgp", Duration.ofSeconds(75));
    speaker =
        () -> {
          throw new AssertionError("this would wait");
        };
    assertThat(part("bgp").live()).isFalse();
  }

  @Test
  void a_speaker_that_just_stops_to_answer_is_unready() {
    speaker =
        () -> {
          throw new IllegalStateException("a loop of the speaker does not answer");
        };
    assertThat(part("bgp"))
        .isEqualTo(new Reporter(true, false, "no answer: a loop of the speaker does not answer"));
  }
}
