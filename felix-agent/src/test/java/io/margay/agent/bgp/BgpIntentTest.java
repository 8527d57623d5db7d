package io.margay.agent.bgp;

import static io.margay.agent.calc.Documents.document;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.agent.calc.Documents;
import io.margay.agent.settings.AgentSettings;
import io.margay.bgp.fsm.ExpectedAs;
import io.margay.bgp.policy.LocalAs;
import io.margay.bgp.policy.NextHopMode;
import io.margay.bgp.speaker.PeerConfig;
import io.margay.bgp.transport.Ttl;
import io.margay.model.net.Asn;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Ipv4Address;
import io.margay.model.net.Ipv6Address;
import io.margay.model.net.Prefix;
import io.margay.model.net.RouterId;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BgpIntentTest {

  private static final AgentSettings.Bgp NOTHING_SET =
      new AgentSettings.Bgp(
          Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(), true);

  private static final AgentSettings.Bgp ADDRESS_SET =
      new AgentSettings.Bgp(
          Optional.of(Ipv4Address.parse("10.0.0.1")),
          Optional.of(Ipv6Address.parse("fd00::1")),
          Optional.empty(),
          Optional.empty(),
          true);

  private static final String NODE =
      document("Node", "n1", "{bgp: {asNumber: 64600, ipv4Address: 10.0.0.7/24}}");
  private static final String CLUSTER =
      document("BGPConfiguration", "default", "{asNumber: 64700, listenPort: 1790}");

  /// Two uplinks, one to each top-of-rack switch.
  private static final List<LinkAddress> DUAL_TOR =
      List.of(
          link("eth0", "172.16.0.1", 31),
          link("eth0", "fe80::a", 64),
          link("eth0", "fd01::1", 127),
          link("eth1", "172.16.1.1", 31),
          link("eth1", "fd02::1", 127));

  private static LinkAddress link(String name, String address, int length) {
    IpAddress parsed = IpAddress.parse(address);
    return new LinkAddress(new InterfaceName(name), parsed, Prefix.containing(parsed, length));
  }

  private static Optional<BgpIntent> intent(AgentSettings.Bgp settings, String documents) {
    return BgpIntent.of("n1", settings, Documents.view(documents), DUAL_TOR);
  }

  private static PeerConfig onlyPeer(String spec) {
    BgpIntent intent = intent(ADDRESS_SET, document("BGPPeer", "tor", spec)).orElseThrow();
    assertThat(intent.problems()).isEmpty();
    assertThat(intent.peers()).hasSize(1);
    return intent.peers().getFirst();
  }

  private static void onlyProblem(String spec, String... says) {
    BgpIntent intent = intent(ADDRESS_SET, document("BGPPeer", "tor", spec)).orElseThrow();
    assertThat(intent.peers()).isEmpty();
    assertThat(intent.problems()).hasSize(1);
    assertThat(intent.problems().getFirst()).contains("BGPPeer tor").contains(says);
  }

  @ParameterizedTest
  @CsvSource({
    "true, true, true, 64500",
    "false, true, true, 64600",
    "false, false, true, 64700",
    "false, false, false, 64512"
  })
  void the_as_is_that_of_the_settings_then_of_the_node_then_of_the_cluster_then_calicos_default(
      boolean inSettings, boolean onNode, boolean inCluster, long expected) {
    AgentSettings.Bgp settings =
        new AgentSettings.Bgp(
            ADDRESS_SET.ipv4(),
            Optional.empty(),
            inSettings ? Optional.of(Asn.of(64500)) : Optional.empty(),
            Optional.empty(),
            true);
    String documents = (onNode ? NODE : "") + (inCluster ? CLUSTER : "");
    assertThat(intent(settings, documents).orElseThrow().identity().asn())
        .isEqualTo(Asn.of(expected));
  }

  @Test
  void the_listen_port_is_the_clusters_or_the_one_of_the_protocol() {
    assertThat(intent(ADDRESS_SET, CLUSTER).orElseThrow().identity().listenPort()).isEqualTo(1790);
    assertThat(intent(ADDRESS_SET, "").orElseThrow().identity().listenPort()).isEqualTo(179);
  }

  @Test
  void the_router_id_is_that_of_the_settings_then_their_address_then_the_nodes() {
    AgentSettings.Bgp explicit =
        new AgentSettings.Bgp(
            ADDRESS_SET.ipv4(),
            Optional.empty(),
            Optional.empty(),
            Optional.of(RouterId.parse("9.9.9.9")),
            true);
    assertThat(intent(explicit, NODE).orElseThrow().identity().routerId())
        .isEqualTo(RouterId.parse("9.9.9.9"));
    assertThat(intent(ADDRESS_SET, NODE).orElseThrow().identity().routerId())
        .isEqualTo(RouterId.parse("10.0.0.1"));
    assertThat(intent(NOTHING_SET, NODE).orElseThrow().identity().routerId())
        .isEqualTo(RouterId.parse("10.0.0.7"));
  }

  @Test
  void a_node_without_an_ipv4_address_needs_a_router_id() {
    String sixOnly = document("Node", "n1", "{bgp: {ipv6Address: 'fd00::7/64'}}");
    assertThat(intent(NOTHING_SET, sixOnly)).isEmpty();
    assertThat(intent(NOTHING_SET, "")).isEmpty();
    AgentSettings.Bgp named =
        new AgentSettings.Bgp(
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.of(RouterId.parse("9.9.9.9")),
            true);
    assertThat(intent(named, sixOnly).orElseThrow().identity().nextHops())
        .isEqualTo(Map.of(IpFamily.IPV6, IpAddress.parse("fd00::7")));
  }

  @Test
  void as_0_is_no_identity() {
    assertThat(
            intent(
                NOTHING_SET,
                document("Node", "n1", "{bgp: {asNumber: 0, ipv4Address: 10.0.0.7/24}}")))
        .isEmpty();
  }

  @Test
  void for_one_address_the_nodes_own_peer_wins_over_a_selected_one_and_that_over_everybodys() {
    String labelled =
        """
        apiVersion: projectcalico.org/v3
        kind: Node
        metadata: {name: n1, labels: {rack: r1}}
        spec: {}
        ---
        """;
    String everybodys = document("BGPPeer", "a-global", "{peerIP: 172.16.0.0, asNumber: 65001}");
    String selected =
        document(
            "BGPPeer",
            "b-selected",
            "{peerIP: 172.16.0.0, asNumber: 65002, nodeSelector: \"rack == 'r1'\"}");
    String own = document("BGPPeer", "c-own", "{peerIP: 172.16.0.0, asNumber: 65003, node: n1}");
    assertThat(asns(labelled + everybodys)).containsExactly(ExpectedAs.only(Asn.of(65001)));
    assertThat(asns(labelled + everybodys + selected))
        .containsExactly(ExpectedAs.only(Asn.of(65002)));
    assertThat(asns(labelled + everybodys + selected + own))
        .containsExactly(ExpectedAs.only(Asn.of(65003)));
    assertThat(asns(everybodys + selected)).containsExactly(ExpectedAs.only(Asn.of(65001)));
  }

  private static List<ExpectedAs> asns(String documents) {
    return intent(ADDRESS_SET, documents).orElseThrow().peers().stream()
        .map(PeerConfig::asn)
        .toList();
  }

  @Test
  void of_two_equally_specific_peers_with_one_address_the_first_by_name_wins() {
    assertThat(
            asns(
                document("BGPPeer", "b", "{peerIP: 172.16.0.0, asNumber: 65002}")
                    + document("BGPPeer", "a", "{peerIP: 172.16.0.0, asNumber: 65001}")))
        .containsExactly(ExpectedAs.only(Asn.of(65001)));
  }

  @Test
  void a_peer_that_cannot_be_served_is_not_replaced_by_a_less_specific_one() {
    BgpIntent intent =
        intent(
                ADDRESS_SET,
                document(
                        "BGPPeer",
                        "own",
                        "{peerIP: 172.16.0.0, asNumber: 65001, node: n1, filters: [only-mine]}")
                    + document("BGPPeer", "global", "{peerIP: 172.16.0.0, asNumber: 65001}"))
            .orElseThrow();
    assertThat(intent.peers()).isEmpty();
    assertThat(intent.problems()).hasSize(1);
  }

  @Test
  void a_peer_of_another_node_is_not_ours() {
    assertThat(asns(document("BGPPeer", "x", "{peerIP: 172.16.0.0, asNumber: 65001, node: n2}")))
        .isEmpty();
  }

  @Test
  void what_cannot_be_served_as_written_is_a_problem_and_no_session() {
    onlyProblem("{peerSelector: all()}", "peerSelector");
    onlyProblem(
        "{peerIP: 172.16.0.0, asNumber: 65001, password: {secretKeyRef: {name: s, key: k}}}",
        "password");
    onlyProblem("{peerIP: 172.16.0.0, asNumber: 65001, filters: [only-mine]}", "filters");
    onlyProblem("{peerIP: 172.16.0.0, asNumber: 0}", "asNumber 0");
    onlyProblem("{peerIP: 172.16.0.0, asNumber: 65001, localASNumber: 0}", "localASNumber 0");
    onlyProblem(
        "{peerIP: 172.16.0.0, asNumber: 65001, numAllowedLocalASNumbers: 11}",
        "numAllowedLocalASNumbers 11");
  }

  @Test
  void the_as_shown_loops_allowed_next_hop_and_ttl_security_are_as_the_peer_says() {
    PeerConfig peer =
        onlyPeer(
            "{peerIP: 172.16.0.0, asNumber: 65001, localASNumber: 65099,"
                + " numAllowedLocalASNumbers: 2, nextHopMode: Self, ttlSecurity: 1}");
    assertThat(peer.policy().localAs()).isEqualTo(LocalAs.replacing(Asn.of(65099)));
    assertThat(peer.policy().allowLocalAs()).isEqualTo(2);
    assertThat(peer.policy().nextHop()).isEqualTo(NextHopMode.SELF);
    assertThat(peer.connection().ttl()).isEqualTo(Ttl.secured(1));
    PeerConfig plain = onlyPeer("{peerIP: 172.16.0.0, asNumber: 65001}");
    assertThat(plain.policy().localAs()).isNull();
    assertThat(plain.policy().allowLocalAs()).isZero();
    assertThat(plain.policy().nextHop()).isEqualTo(NextHopMode.AUTO);
    assertThat(
            onlyPeer("{peerIP: 172.16.0.0, asNumber: 65001, keepOriginalNextHop: true}")
                .policy()
                .nextHop())
        .isEqualTo(NextHopMode.KEEP);
  }

  @ParameterizedTest
  @ValueSource(strings = {"300ms", "500ms", "999ms", "21846s", "24h"})
  void a_keepalive_time_that_makes_no_hold_time_is_a_problem_and_no_session(String keepalive) {
    onlyProblem(
        "{peerIP: 172.16.0.0, asNumber: 65001, keepaliveTime: " + keepalive + "}",
        "keepaliveTime",
        "1..21845 s");
  }

  @ParameterizedTest
  @CsvSource({"1s, 3", "1500ms, 4", "30s, 90", "21845s, 65535"})
  void the_hold_time_is_three_keepalives(String keepalive, long seconds) {
    assertThat(
            onlyPeer("{peerIP: 172.16.0.0, asNumber: 65001, keepaliveTime: " + keepalive + "}")
                .timers()
                .holdTime()
                .toSeconds())
        .isEqualTo(seconds);
  }

  @Test
  void without_a_keepalive_time_a_dead_peer_is_noticed_within_seconds() {
    assertThat(onlyPeer("{peerIP: 172.16.0.0, asNumber: 65001}").timers().holdTime())
        .isEqualTo(Duration.ofSeconds(9));
  }

  @Test
  void each_top_of_rack_hears_next_hops_on_its_own_link() {
    PeerConfig left = onlyPeer("{peerIP: 172.16.0.0, asNumber: 65001}");
    assertThat(left.connection().localAddress()).isEqualTo(IpAddress.parse("172.16.0.1"));
    assertThat(left.nextHops())
        .isEqualTo(
            Map.of(
                IpFamily.IPV4, IpAddress.parse("172.16.0.1"),
                IpFamily.IPV6, IpAddress.parse("fd01::1")));
    PeerConfig right = onlyPeer("{peerIP: 'fd02::', asNumber: 65001}");
    assertThat(right.connection().localAddress()).isEqualTo(IpAddress.parse("fd02::1"));
    assertThat(right.nextHops())
        .isEqualTo(
            Map.of(
                IpFamily.IPV4, IpAddress.parse("172.16.1.1"),
                IpFamily.IPV6, IpAddress.parse("fd02::1")));
  }

  @Test
  void a_distant_peer_hears_the_nodes_own_addresses_from_any_source() {
    PeerConfig distant = onlyPeer("{peerIP: '192.0.2.1:1179', asNumber: 65001}");
    assertThat(distant.connection().localAddress()).isNull();
    assertThat(distant.nextHops()).isEmpty();
    assertThat(distant.connection().port()).isEqualTo(1179);
  }

  @ParameterizedTest
  @CsvSource({"172.16.0.0, 65001, 1", "172.16.0.0, 64512, 255", "192.0.2.1, 65001, 255"})
  void only_another_as_on_our_link_is_spoken_to_with_a_hop_limit_of_one(
      String address, long asn, int ttl) {
    assertThat(onlyPeer("{peerIP: " + address + ", asNumber: " + asn + "}").connection().ttl())
        .isEqualTo(Ttl.multihop(ttl));
  }
}
