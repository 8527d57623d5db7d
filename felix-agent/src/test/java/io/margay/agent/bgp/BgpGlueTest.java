package io.margay.agent.bgp;

import static io.margay.agent.calc.Documents.document;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.agent.calc.Documents;
import io.margay.agent.http.BgpMetrics;
import io.margay.agent.settings.AgentSettings;
import io.margay.bgp.message.Community;
import io.margay.bgp.speaker.AdvertisedStatus;
import io.margay.bgp.speaker.FibListener;
import io.margay.bgp.speaker.OriginatedRoute;
import io.margay.bgp.speaker.PeerStatus;
import io.margay.bgp.speaker.SessionPhase;
import io.margay.bgp.transport.Password;
import io.margay.model.net.Asn;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Ipv4Address;
import io.margay.model.net.Prefix;
import io.margay.model.resource.NodeStatusClass;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Two nodes' speakers on 127.0.0.1 and 127.0.0.2, over real sockets.
class BgpGlueTest {

  private static final Instant NOW = Instant.parse("2026-11-29T11:20:00Z");
  private static final Community GRACEFUL_SHUTDOWN = Community.parse("65535:0");
  private static final IpAddress TWO = IpAddress.parse("127.0.0.2");

  private final int port = Loopback.freePort();
  private List<LinkAddress> links = List.of();

  /// A further peer of the first.
  private String third = "";

  /// What the machine's clock says, and what has passed by one that nobody sets.
  private Instant wall = NOW;

  private Instant passed = NOW;

  private final BgpGlue one = glue(1);
  private final BgpGlue two = glue(2);

  private BgpGlue glue(int number) {
    return new BgpGlue(
        FibListener.NONE,
        true,
        false,
        Optional.empty(),
        () -> wall,
        () -> passed,
        new Random(number));
  }

  @BeforeEach
  void introduce() throws IOException {
    one.announce(Set.of(OriginatedRoute.of(Prefix.parse("10.65.0.0/26"))), Set.of());
    one.configure(intent(1, ""));
    two.configure(intent(2, ""));
  }

  @AfterEach
  void stop() {
    one.close();
    two.close();
  }

  private BgpIntent intent(int number, String order) {
    return intent(number, order, Passwords.NONE, "");
  }

  /// With a password for the session.
  private BgpIntent locked(int number, String password) {
    return intent(
        number,
        "",
        _ -> new Passwords.Answer.Found(new Password(password)),
        ", password: {secretKeyRef: {name: s, key: k}}");
  }

  private BgpIntent intent(int number, String order, Passwords passwords, String more) {
    AgentSettings.Bgp settings =
        new AgentSettings.Bgp(
            Optional.of(Ipv4Address.parse("127.0.0." + number)),
            Optional.empty(),
            Optional.of(Asn.of(65000 + number)),
            Optional.empty(),
            true);
    int other = number == 1 ? 2 : 1;
    String documents =
        document(
                "BGPConfiguration",
                "default",
                "{listenPort: " + port + ", bindMode: NodeIP, nodeToNodeMeshEnabled: false}")
            + document(
                "BGPPeer",
                "other",
                "{peerIP: '127.0.0.%d:%d', asNumber: %d%s}"
                    .formatted(other, port, 65000 + other, more))
            + (number == 1 ? third : "")
            + """
            apiVersion: projectcalico.org/v3
            kind: Node
            metadata: {name: n%d, annotations: {%s}}
            spec: {}
            """
                .formatted(
                    number, order.isEmpty() ? "" : DrainOrder.ANNOTATION + ": '" + order + "'");
    BgpIntent intent =
        BgpIntent.of("n" + number, settings, Documents.view(documents), links, passwords)
            .orElseThrow();
    assertThat(intent.problems()).isEmpty();
    return intent;
  }

  private List<AdvertisedStatus> told() {
    return one.speaker().orElseThrow().advertised(TWO);
  }

  private PeerStatus peer() {
    return one.peers().getFirst();
  }

  private void untilTold(boolean marked) {
    Loopback.until(
        "the block is told, marked: " + marked,
        this::told,
        () ->
            told().size() == 1
                && told().getFirst().route().attributes().communities().contains(GRACEFUL_SHUTDOWN)
                    == marked);
  }

  @Test
  void who_sets_the_clock_neither_ends_nor_repeats_the_warning_of_a_drain() throws Exception {
    String order = "2026-11-29T11:20:00Z wait 30s";
    assertThat(one.configure(intent(1, order))).contains(Duration.ofSeconds(30));
    wall = NOW.plusSeconds(3600);
    passed = NOW.plusSeconds(10);
    assertThat(one.configure(intent(1, order))).contains(Duration.ofSeconds(20));
    wall = NOW.minusSeconds(3600);
    passed = NOW.plusSeconds(30);
    assertThat(one.configure(intent(1, order))).isEmpty();
    Loopback.until("drained", one::drainState, () -> one.drainState() == DrainState.DRAINED);
    wall = NOW.minus(Duration.ofDays(2));
    assertThat(one.configure(intent(1, order))).isEmpty();
    assertThat(one.drainState()).as("it stays so").isIn(DrainState.WITHDRAWING, DrainState.DRAINED);
  }

  @Test
  void how_long_a_session_lasts_is_no_matter_of_the_clock_that_somebody_sets() throws Exception {
    untilTold(false);
    Duration before = peer().age();
    wall = NOW.minus(Duration.ofDays(2));
    assertThat(peer().age()).isGreaterThanOrEqualTo(before).isLessThan(Duration.ofHours(1));
    PrometheusRegistry registry = new PrometheusRegistry();
    BgpMetrics.register(registry, one::speaker);
    GaugeSnapshot uptime =
        (GaugeSnapshot)
            registry.scrape("margay_bgp_peer_uptime_seconds"::equals).stream()
                .findFirst()
                .orElseThrow();
    assertThat(uptime.getDataPoints())
        .allSatisfy(point -> assertThat(point.getValue()).isNotNegative());
  }

  @Test
  void a_drained_node_warns_then_withdraws_and_comes_back_within_one_session() throws Exception {
    untilTold(false);
    assertThat(one.drainState()).isEqualTo(DrainState.NONE);
    Instant since = peer().since();

    assertThat(one.configure(intent(1, "2026-11-29T11:19:50Z wait 30s")))
        .contains(Duration.ofSeconds(20));
    untilTold(true);
    assertThat(one.drainState()).isEqualTo(DrainState.MARKED);
    assertThat(one.drainOrder()).isPresent();

    assertThat(one.configure(intent(1, "2026-11-29T11:19:30Z wait 30s"))).isEmpty();
    Loopback.until("nothing is told", this::told, () -> told().isEmpty());
    Loopback.until("drained", one::drainState, () -> one.drainState() == DrainState.DRAINED);

    assertThat(one.configure(intent(1, ""))).isEmpty();
    untilTold(false);
    assertThat(one.drainState()).isEqualTo(DrainState.NONE);
    assertThat(peer().phase()).isEqualTo(SessionPhase.ESTABLISHED);
    assertThat(peer().since()).isEqualTo(since);
  }

  @Test
  void a_password_is_changed_at_both_ends_without_touching_the_session() throws Exception {
    one.configure(locked(1, "hunter2"));
    two.configure(locked(2, "hunter2"));
    untilTold(false);
    untilHeard(1);
    Instant since = peer().since();
    one.configure(locked(1, "hunter3"));
    two.configure(locked(2, "hunter3"));
    one.announce(
        Set.of(
            OriginatedRoute.of(Prefix.parse("10.65.0.0/26")),
            OriginatedRoute.of(Prefix.parse("10.65.0.64/26"))),
        Set.of());
    untilHeard(2);
    assertThat(peer().since()).isEqualTo(since);
    assertThat(one.peers().toString()).doesNotContain("hunter");
  }

  private void untilHeard(int prefixes) {
    Loopback.until(
        "the other has heard of " + prefixes,
        two::peers,
        () ->
            Objects.requireNonNull(two.peers().getFirst().families().get(IpFamily.IPV4))
                    .prefixesReceived()
                == prefixes);
  }

  @Test
  void a_link_that_goes_down_ends_the_sessions_of_the_peers_on_it_and_of_no_others()
      throws Exception {
    links =
        List.of(
            new LinkAddress(
                new InterfaceName("up0"),
                IpAddress.parse("127.0.0.1"),
                Prefix.parse("127.0.0.0/30")));
    one.configure(intent(1, ""));
    Loopback.until("session", this::peer, () -> peer().phase() == SessionPhase.ESTABLISHED);
    one.linkDown(new InterfaceName("up1"));
    one.linkDown(new InterfaceName("up0"));
    Loopback.until(
        "reset",
        this::peer,
        () -> String.valueOf(peer().history().lastReset()).contains("link up0 is down"));
  }

  @Test
  void a_calico_node_status_tells_of_the_agent_its_sessions_and_its_routes() {
    untilTold(false);
    Map<String, Object> report =
        NodeStatusReport.of(
            EnumSet.allOf(NodeStatusClass.class),
            one.speaker(),
            one.origins(),
            "1.2.3",
            NOW,
            one.configured(),
            NOW);
    assertThat(report).containsOnlyKeys("lastUpdated", "agent", "bgp", "routes");
    assertThat(report).containsEntry("lastUpdated", "2026-11-29T11:20:00Z");
    assertThat(report.get("agent"))
        .asString()
        .contains("birdV4", "birdV6", "state=Ready", "version=1.2.3", "routerID=127.0.0.1");
    assertThat(report.get("bgp"))
        .asString()
        .startsWith(
            "{numberEstablishedV4=1, numberNotEstablishedV4=0, numberEstablishedV6=0,"
                + " numberNotEstablishedV6=0, peersV4=[{peerIP=127.0.0.2, type=GlobalPeer,"
                + " state=Established, since=");
    assertThat(report.get("routes"))
        .hasToString(
            "{routesV4=[{type=FIB, destination=10.65.0.0/26,"
                + " learnedFrom={sourceType=Static}}]}");
    assertThat(
            NodeStatusReport.of(
                Set.of(NodeStatusClass.BGP), Optional.empty(), Map.of(), "1", NOW, NOW, NOW))
        .containsOnlyKeys("lastUpdated", "bgp");
  }

  @Test
  void a_running_speaker_answers_a_probe_and_so_does_a_node_without_one() throws Exception {
    CountDownLatch answered = new CountDownLatch(2);
    one.probe(answered::countDown);
    glue(3).probe(answered::countDown);
    answered.await();
  }

  @Test
  void a_speaker_that_starts_drained_tells_nothing_from_the_start() throws Exception {
    BgpGlue restarted = glue(1);
    one.close();
    restarted.announce(Set.of(OriginatedRoute.of(Prefix.parse("10.65.0.0/26"))), Set.of());
    restarted.configure(intent(1, "2026-11-29T11:00:00Z wait 30s"));
    try {
      Loopback.until(
          "session",
          restarted::peers,
          () -> restarted.peers().getFirst().phase() == SessionPhase.ESTABLISHED);
      Loopback.until(
          "end of rib",
          restarted::peers,
          () ->
              restarted.peers().getFirst().families().values().stream()
                  .allMatch(PeerStatus.FamilyStatus::endOfRibSent));
      assertThat(restarted.speaker().orElseThrow().advertised(TWO)).isEmpty();
      assertThat(restarted.speaker().orElseThrow().status().gracefulShutdown()).isTrue();
      assertThat(restarted.drainState()).isEqualTo(DrainState.DRAINED);
    } finally {
      restarted.close();
    }
  }

  @Test
  void who_ends_again_soon_after_a_restart_has_told_its_peers_first() throws Exception {
    Loopback.until("two has the block", two::peers, () -> received(two) == 1);
    one.close();
    third =
        document("BGPPeer", "third", "{peerIP: '127.0.0.3:%d', asNumber: 65003}".formatted(port));
    BgpGlue restarted =
        new BgpGlue(
            FibListener.NONE,
            true,
            true,
            Optional.empty(),
            () -> wall,
            () -> passed,
            new Random(1),
            Duration.ofSeconds(45));
    BgpGlue three = glue(3);
    try {
      restarted.announce(Set.of(OriginatedRoute.of(Prefix.parse("10.65.0.0/26"))), Set.of());
      restarted.configure(intent(1, ""));
      Loopback.until(
          "the session with two is up again",
          restarted::peers,
          () ->
              restarted.peers().stream()
                  .anyMatch(peer -> peer.phase() == SessionPhase.ESTABLISHED));
      assertThat(restarted.speaker().orElseThrow().advertised(TWO))
          .as("nothing is decided before the third has told all")
          .isEmpty();
      Thread ending = Thread.ofPlatform().start(restarted::close);
      three.configure(intent(3, ""));
      ending.join();
      assertThat(received(two)).as("kept for one that restarts").isEqualTo(1);
    } finally {
      restarted.close();
      three.close();
    }
  }

  private static int received(BgpGlue glue) {
    return glue.peers().getFirst().families().values().stream()
        .mapToInt(PeerStatus.FamilyStatus::prefixesReceived)
        .sum();
  }
}
