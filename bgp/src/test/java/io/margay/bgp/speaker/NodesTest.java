package io.margay.bgp.speaker;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.bgp.bfd.BfdChange;
import io.margay.bgp.bfd.BfdDiagnostic;
import io.margay.bgp.bfd.BfdParameters;
import io.margay.bgp.bfd.BfdPeer;
import io.margay.bgp.fsm.ExpectedAs;
import io.margay.bgp.message.AfiSafi;
import io.margay.bgp.message.AsPath;
import io.margay.bgp.message.Capability;
import io.margay.bgp.message.Keepalive;
import io.margay.bgp.message.Notification;
import io.margay.bgp.message.Open;
import io.margay.bgp.message.PathAttribute;
import io.margay.bgp.message.PathAttributes;
import io.margay.bgp.message.Update;
import io.margay.bgp.policy.ExportMode;
import io.margay.bgp.policy.ImportMode;
import io.margay.bgp.policy.LocalAs;
import io.margay.bgp.policy.MaxPrefix;
import io.margay.bgp.policy.PeerPolicy;
import io.margay.bgp.transport.Endpoints;
import io.margay.model.net.Asn;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.model.net.RouterId;
import io.margay.model.net.ScopedAddress;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Features of a whole speaker between two or three simulated nodes.
class NodesTest extends PoweredNodes {

  private static final ScopedAddress ONE = ScopedAddress.parse("10.0.0.1");
  private static final ScopedAddress TWO = ScopedAddress.parse("10.0.0.2");
  private static final ScopedAddress THREE = ScopedAddress.parse("10.0.0.3");
  private static final PeerPolicy OPEN =
      PeerPolicy.builder().importMode(ImportMode.ACCEPT).exportMode(ExportMode.OWN).build();

  NodesTest() {
    super(new Random(7));
  }

  private SimNode boot(ScopedAddress address, int asn, String... prefixes) {
    SpeakerConfig config =
        SpeakerConfig.builder(Asn.of(asn), RouterId.parse(address.toString()))
            .restart(
                new SpeakerConfig.Restart(
                    true, Duration.ofSeconds(20), Duration.ofSeconds(5), false, true))
            .build();
    SimNode node = new SimNode(this, address, config);
    nodes.put(address, node);
    Map<Prefix, PathAttributes> routes = new HashMap<>();
    for (String prefix : prefixes) {
      routes.put(
          Prefix.parse(prefix),
          PathAttributes.of(
              List.of(
                  new PathAttribute.Origin(PathAttribute.OriginCode.IGP),
                  new PathAttribute.AsPathAttribute(AsPath.EMPTY))));
    }
    node.rib().postOriginate(routes);
    return node;
  }

  private static PeerConfig.Builder peer(ScopedAddress address, int asn) {
    return PeerConfig.builder(address, Asn.of(asn), OPEN)
        .holdTime(Duration.ofSeconds(9))
        .connectRetry(Duration.ofSeconds(1));
  }

  private static PeerConfig.Builder range(ExpectedAs asn, int limit) {
    return PeerConfig.range(new Remote.Within(Prefix.parse("10.0.0.0/24"), limit), asn, OPEN)
        .holdTime(Duration.ofSeconds(9));
  }

  private void run(Duration duration) {
    long until = time.nanos() + duration.toNanos();
    while (time.step(until)) {}
  }

  private static PeerStatus status(SimNode node, ScopedAddress peer) {
    return node.sessions().stream()
        .filter(session -> session.address().equals(peer))
        .findFirst()
        .orElseThrow()
        .status(Map.of());
  }

  private static String lastReset(SimNode node, ScopedAddress peer) {
    PeerStatus.LastEnd end = status(node, peer).history().lastReset();
    return end == null ? "" : end.reason();
  }

  private static boolean isUp(SimNode node, ScopedAddress peer) {
    return node.sessions().stream()
        .anyMatch(
            session ->
                session.address().equals(peer) && session.phase() == SessionPhase.ESTABLISHED);
  }

  @Test
  void peers_of_a_range_are_accepted_up_to_its_limit_and_forgotten_after_they_left() {
    SimNode reflector = boot(ONE, 65001, "10.65.0.0/24");
    reflector.configure(List.of(range(new ExpectedAs.External(), 1).build()));
    SimNode client = boot(TWO, 65002, "10.66.0.0/24");
    client.configure(List.of(peer(ONE, 65001).build()));
    run(Duration.ofSeconds(15));
    assertThat(isUp(reflector, TWO)).isTrue();
    assertThat(status(reflector, TWO).isDynamic()).isTrue();
    assertThat(reflector.fib().text()).isEqualTo("{10.66.0.0/24=[10.0.0.2]}");
    assertThat(client.fib().text()).isEqualTo("{10.65.0.0/24=[10.0.0.1]}");

    boot(THREE, 65003).configure(List.of(peer(ONE, 65001).build()));
    run(Duration.ofSeconds(30));
    assertThat(reflector.sessions()).hasSize(1);

    client.close(CloseMode.SHUTDOWN);
    client.die(true);
    run(PeerTable.DYNAMIC_LINGER.minusSeconds(1));
    assertThat(status(reflector, TWO).lastError()).contains("Administrative shutdown");
    run(Duration.ofSeconds(40));
    assertThat(reflector.sessions()).extracting(PeerSession::address).containsExactly(THREE);
    assertThat(reflector.fib().text()).isEqualTo("{}");
  }

  @Test
  void a_range_that_is_no_longer_wanted_ends_its_sessions() {
    SimNode reflector = boot(ONE, 65001);
    reflector.configure(List.of(range(new ExpectedAs.Any(), 10).build()));
    SimNode client = boot(TWO, 65002);
    client.configure(List.of(peer(ONE, 65001).build()));
    run(Duration.ofSeconds(15));
    assertThat(isUp(client, ONE)).isTrue();
    reflector.configure(List.of());
    run(Duration.ofSeconds(1));
    assertThat(lastReset(client, ONE)).contains("Peer de-configured");
    assertThat(reflector.sessions()).isEmpty();
  }

  @Test
  void a_peer_of_the_wrong_as_is_told_so_and_the_reason_is_shown_at_both_ends() {
    SimNode one = boot(ONE, 65001);
    one.configure(List.of(peer(TWO, 65009).build()));
    SimNode two = boot(TWO, 65002);
    two.configure(List.of(peer(ONE, 65001).passive(true).build()));
    run(Duration.ofSeconds(10));
    assertThat(status(one, TWO).lastError()).startsWith("Sent: Bad peer AS (2/2)");
    assertThat(status(two, ONE).lastError()).startsWith("Received: Bad peer AS (2/2)");
  }

  @Test
  void a_peer_whose_password_the_kernel_refuses_is_named_and_the_others_are_served() {
    SimNode one = boot(ONE, 65001);
    PeerConfig refused = peer(THREE, 65003).passive(true).build();
    one.refusePasswords(Map.of(PeerTable.expected(refused), "no room"));
    one.configure(List.of(peer(TWO, 65002).build(), refused));
    assertThat(status(one, THREE).lastError()).isEqualTo("Cannot be let in: no room");
    assertThat(status(one, TWO).lastError()).isNull();
    boot(TWO, 65002).configure(List.of(peer(ONE, 65001).build()));
    run(Duration.ofSeconds(15));
    assertThat(isUp(one, TWO)).isTrue();
  }

  @Test
  void the_wait_for_end_of_rib_is_over_when_it_came() {
    SimNode one = boot(ONE, 65001);
    one.configure(List.of(peer(TWO, 65002).build()));
    SimNode two = boot(TWO, 65002, "10.66.0.0/24");
    two.configure(List.of(peer(ONE, 65001).build()));
    run(Duration.ofSeconds(15));
    two.die(true);
    run(Duration.ofSeconds(1));
    assertThat(status(one, TWO).restart().waiting()).isEqualTo(PeerStatus.Restart.Waiting.FOR_PEER);
    boot(TWO, 65002, "10.66.0.0/24").configure(List.of(peer(ONE, 65001).build()));
    run(Duration.ofSeconds(15));
    assertThat(isUp(one, TWO)).isTrue();
    assertThat(status(one, TWO).restart()).isEqualTo(PeerStatus.Restart.NONE);
  }

  /// A connection beside a session that has just come up, on which the peer has confirmed.
  private ScriptedWire spare(SimNode one) {
    one.configure(List.of(peer(TWO, 65002).build()));
    SimNode two = boot(TWO, 65002);
    two.configure(List.of(peer(ONE, 65001).passive(true).build()));
    while (!isUp(one, TWO)) {
      run(Duration.ofMillis(10));
    }
    ScriptedWire spare = new ScriptedWire(new Endpoints(ONE, 179, TWO, 41_000));
    one.accept(spare);
    spare.hear(
        new Open(
            Asn.of(65002),
            Duration.ofSeconds(9),
            RouterId.parse("10.0.0.2"),
            List.of(
                new Capability.MultiProtocol(AfiSafi.IPV4_UNICAST),
                new Capability.FourOctetAs(Asn.of(65002)))));
    spare.hear(new Keepalive());
    return spare;
  }

  @Test
  void a_connection_beside_a_session_ends_in_time_however_often_the_peer_confirms_it() {
    SimNode one = boot(ONE, 65001);
    ScriptedWire spare = spare(one);
    run(PeerConnection.COLLISION_SETTLES.dividedBy(2));
    spare.hear(new Keepalive());
    run(PeerConnection.COLLISION_SETTLES.dividedBy(2).plusMillis(1));
    assertThat(spare.sent())
        .last()
        .isEqualTo(Notification.of(Notification.CEASE, Notification.CEASE_COLLISION));
    assertThat(spare.isClosed()).isTrue();
    assertThat(isUp(one, TWO)).isTrue();
  }

  @Test
  void an_update_on_a_connection_beside_a_session_is_unexpected_in_open_confirm() {
    SimNode one = boot(ONE, 65001);
    ScriptedWire spare = spare(one);
    spare.hear(Update.endOfRib(IpFamily.IPV4));
    assertThat(spare.sent()).last().isEqualTo(Notification.of(Notification.STATE_MACHINE, 2));
    assertThat(spare.isClosed()).isTrue();
    run(Duration.ofSeconds(20));
    assertThat(isUp(one, TWO)).isTrue();
    assertThat(status(one, TWO).history().dropped()).isZero();
  }

  /// Its BFD session is still that of the process before.
  @ParameterizedTest
  @CsvSource({"true, true, false", "true, false, true", "false, true, true"})
  void after_a_restart_a_peer_with_bfd_is_left_alone_for_a_detection_time(
      boolean restarting, boolean watched, boolean soon) {
    BfdParameters bfd = new BfdParameters(Duration.ofSeconds(1), 3);
    SpeakerConfig config =
        SpeakerConfig.builder(Asn.of(65001), RouterId.parse("10.0.0.1"))
            .restart(SpeakerConfig.Restart.offered(restarting))
            .build();
    SimNode one = new SimNode(this, ONE, config);
    nodes.put(ONE, one);
    one.configure(List.of(peer(TWO, 65002).bfd(watched ? bfd : null).build()));
    boot(TWO, 65002).configure(List.of(peer(ONE, 65001).build()));
    run(Duration.ofMillis(2_900));
    assertThat(isUp(one, TWO)).isEqualTo(soon);
    run(Duration.ofSeconds(20));
    assertThat(isUp(one, TWO)).isTrue();
  }

  /// BIRD may sleep on its last UPDATEs until it hears something.
  @ParameterizedTest
  @CsvSource({"256, 9, 1", "255, 9, 0", "256, 0, 0"})
  void a_peer_that_falls_silent_after_a_burst_hears_a_keepalive(
      int updates, int holdSeconds, int keepalives) {
    SimNode one = boot(ONE, 65001);
    one.configure(List.of(peer(TWO, 65002).passive(true).build()));
    ScriptedWire wire = new ScriptedWire(new Endpoints(ONE, 179, TWO, 41_000));
    one.accept(wire);
    wire.hear(
        new Open(
            Asn.of(65002),
            Duration.ofSeconds(holdSeconds),
            RouterId.parse("10.0.0.2"),
            List.of(
                new Capability.MultiProtocol(AfiSafi.IPV4_UNICAST),
                new Capability.FourOctetAs(Asn.of(65002)))));
    wire.hear(new Keepalive());
    run(Nudge.APART.plusMillis(1));
    int before = wire.sent().size();
    for (int i = 0; i < updates; i++) {
      wire.hear(Update.endOfRib(IpFamily.IPV4));
    }
    run(Nudge.SILENCE.plusMillis(1));
    assertThat(wire.sent().subList(before, wire.sent().size()))
        .filteredOn(Keepalive.class::isInstance)
        .hasSize(keepalives);
    assertThat(isUp(one, TWO)).isTrue();
  }

  @Test
  void a_local_as_stands_in_the_open() {
    SimNode one = boot(ONE, 65001, "10.65.0.0/24");
    one.configure(
        List.of(
            peer(TWO, 65002)
                .policy(OPEN.toBuilder().localAs(LocalAs.replacing(Asn.of(64999))).build())
                .build()));
    SimNode two = boot(TWO, 65002);
    two.configure(List.of(peer(ONE, 64999).build()));
    run(Duration.ofSeconds(15));
    assertThat(isUp(two, ONE)).isTrue();
    assertThat(status(one, TWO).localAsn()).isEqualTo(Asn.of(64999));
    assertThat(two.fib().text()).isEqualTo("{10.65.0.0/24=[10.0.0.1]}");
  }

  @Test
  void a_peer_beyond_its_prefix_limit_is_left_alone_for_a_while_or_until_the_limit_changes() {
    SimNode one = boot(ONE, 65001);
    PeerPolicy limited =
        OPEN.toBuilder().maxPrefix(new MaxPrefix(1, MaxPrefix.Action.RESTART)).build();
    one.configure(List.of(peer(TWO, 65002).policy(limited).build()));
    SimNode two = boot(TWO, 65002, "10.66.0.0/24", "10.66.1.0/24");
    two.configure(List.of(peer(ONE, 65001).build()));
    run(Duration.ofSeconds(10));
    assertThat(status(one, TWO).phase()).isEqualTo(SessionPhase.IDLE);
    assertThat(lastReset(one, TWO)).contains("Maximum number of prefixes reached");
    assertThat(lastReset(two, ONE)).contains("Maximum number of prefixes reached");
    assertThat(one.fib().text()).isEqualTo("{}");

    one.configure(List.of(peer(TWO, 65002).build()));
    run(Duration.ofSeconds(40));
    assertThat(isUp(one, TWO)).isTrue();
    assertThat(one.fib().text()).contains("10.66.0.0/24", "10.66.1.0/24");
  }

  @ParameterizedTest(name = "BFD independent of the control plane: {0}; routes kept: {1}")
  @CsvSource({"true, false", "false, true"})
  void a_path_that_bfd_finds_dead_ends_the_session_and_keeps_routes_by_the_c_bit(
      boolean independent, boolean kept) {
    SimNode one = boot(ONE, 65001);
    one.configure(List.of(peer(TWO, 65002).bfd(BfdParameters.DEFAULT).build()));
    SimNode two = boot(TWO, 65002, "10.66.0.0/24");
    two.configure(List.of(peer(ONE, 65001).build()));
    run(Duration.ofSeconds(15));
    assertThat(one.watched()).hasSize(1);
    BfdPeer path = one.watched().iterator().next();
    one.bfd(path, new BfdChange.Up());
    assertThat(status(one, TWO).bfd()).isEqualTo("up");
    one.bfd(path, new BfdChange.AdminDown());
    assertThat(isUp(one, TWO)).isTrue();

    link(ONE, TWO).cut();
    one.bfd(path, new BfdChange.Down(BfdDiagnostic.DETECTION_TIME_EXPIRED, independent));
    run(Duration.ofMillis(500));
    assertThat(isUp(one, TWO)).isFalse();
    assertThat(lastReset(one, TWO)).contains("BFD down (6/10)");
    assertThat(one.fib().text()).isEqualTo(kept ? "{10.66.0.0/24=[10.0.0.2]}" : "{}");
    assertThat(one.watched()).isEmpty();
    run(Duration.ofSeconds(25));
    assertThat(one.fib().text()).isEqualTo("{}");
  }

  @Test
  void a_peer_whose_link_is_gone_loses_its_session_and_all_of_its_routes_at_once() {
    SimNode one = boot(ONE, 65001);
    one.configure(List.of(peer(TWO, 65002).build()));
    SimNode two = boot(TWO, 65002, "10.66.0.0/24");
    two.configure(List.of(peer(ONE, 65001).build()));
    run(Duration.ofSeconds(15));
    assertThat(one.fib().text()).isEqualTo("{10.66.0.0/24=[10.0.0.2]}");

    link(ONE, TWO).cut();
    one.pathDown(TWO, "link eth0 is down");
    one.pathDown(THREE, "link eth0 is down");
    run(Duration.ofMillis(500));
    assertThat(isUp(one, TWO)).isFalse();
    assertThat(lastReset(one, TWO)).contains("link eth0 is down");
    assertThat(one.fib().text()).as("nothing waits for a restart").isEqualTo("{}");

    link(ONE, TWO).heal();
    run(Duration.ofSeconds(40));
    assertThat(isUp(one, TWO)).isTrue();
    assertThat(one.fib().text()).isEqualTo("{10.66.0.0/24=[10.0.0.2]}");
  }

  @Test
  void routes_kept_for_a_peer_that_restarts_go_when_its_link_does() {
    SimNode one = boot(ONE, 65001);
    one.configure(List.of(peer(TWO, 65002).build()));
    SimNode two = boot(TWO, 65002, "10.66.0.0/24");
    two.configure(List.of(peer(ONE, 65001).build()));
    run(Duration.ofSeconds(15));
    two.die(true);
    run(Duration.ofSeconds(1));
    assertThat(isUp(one, TWO)).isFalse();
    assertThat(one.fib().text()).as("kept").isEqualTo("{10.66.0.0/24=[10.0.0.2]}");

    one.pathDown(TWO, "link eth0 is down");
    run(Duration.ofMillis(500));
    assertThat(one.fib().text()).isEqualTo("{}");
  }

  @Test
  void a_peer_of_a_range_that_died_and_did_not_come_back_is_forgotten() {
    SimNode reflector = boot(ONE, 65001);
    reflector.configure(List.of(range(new ExpectedAs.External(), 1).build()));
    SimNode client = boot(TWO, 65002, "10.66.0.0/24");
    client.configure(List.of(peer(ONE, 65001).build()));
    run(Duration.ofSeconds(15));
    client.die(true);
    run(Duration.ofSeconds(1));
    assertThat(reflector.fib().text()).as("kept").isEqualTo("{10.66.0.0/24=[10.0.0.2]}");
    run(Duration.ofMinutes(10));
    assertThat(reflector.fib().text()).isEqualTo("{}");
    assertThat(reflector.sessions()).isEmpty();
  }

  @Test
  void a_plan_names_what_forces_a_reset_and_configuring_does_just_that() {
    SimNode one = boot(ONE, 65001);
    one.configure(List.of(peer(TWO, 65002).build()));
    SimNode two = boot(TWO, 65002);
    two.configure(List.of(peer(ONE, 65001).passive(true).build()));
    run(Duration.ofSeconds(15));
    PeerConfig described = peer(TWO, 65002).description("tor").build();
    PeerConfig widened = described.toBuilder().addPath(AddPathMode.RECEIVE).build();
    assertThat(one.plan(List.of(described, peer(THREE, 65003).build())))
        .extracting(PeerChange::outcome)
        .containsExactlyInAnyOrder(PeerChange.Outcome.CHANGED, PeerChange.Outcome.ADDED);
    assertThat(one.plan(List.of(widened)).getFirst().reset()).containsExactly("addPath");

    one.configure(List.of(described));
    run(Duration.ofSeconds(1));
    assertThat(status(one, TWO).history().dropped()).isZero();
    one.configure(List.of(widened));
    run(Duration.ofSeconds(15));
    assertThat(status(one, TWO).history().dropped()).isEqualTo(1);
    assertThat(lastReset(two, ONE)).contains("Other configuration change");
    assertThat(isUp(one, TWO)).isTrue();
  }

  /// Seeds in which the two ends connect at once and see each other's messages in any order.
  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20})
  void of_simultaneous_connections_one_carries_the_session_and_neither_end_loses_it_twice(
      long seed) {
    random.setSeed(seed);
    SimNode one = boot(ONE, 65001);
    SimNode two = boot(TWO, 65002);
    one.configure(List.of(peer(TWO, 65002).build()));
    two.configure(List.of(peer(ONE, 65001).build()));
    run(Duration.ofSeconds(30));
    assertThat(isUp(one, TWO)).isTrue();
    assertThat(isUp(two, ONE)).isTrue();
    assertThat(one.established(TWO)).hasSize(1);
    assertThat(two.established(ONE)).hasSize(1);
    assertThat(status(one, TWO).history().dropped()).isLessThanOrEqualTo(1);
    assertThat(status(two, ONE).history().dropped()).isLessThanOrEqualTo(1);
  }
}
