package io.margay.agent.bgp;

import static io.margay.agent.calc.Documents.document;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.agent.calc.Documents;
import io.margay.agent.settings.AgentSettings;
import io.margay.agent.settings.HashedRouterId;
import io.margay.bgp.bfd.BfdParameters;
import io.margay.bgp.fsm.ExpectedAs;
import io.margay.bgp.policy.LocalAs;
import io.margay.bgp.policy.NextHopMode;
import io.margay.bgp.speaker.PeerConfig;
import io.margay.bgp.transport.Password;
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
import org.jspecify.annotations.Nullable;
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
    return BgpIntent.of("n1", settings, Documents.view(documents), DUAL_TOR, Passwords.NONE);
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
  void settings_that_no_agent_follows_are_told_for_all_nodes_and_for_this_one() {
    BgpIntent intent =
        intent(
                ADDRESS_SET,
                document(
                        "BGPConfiguration",
                        "default",
                        "{serviceClusterIPs: [{cidr: 10.96.0.0/12}], ipv4NormalRoutePriority: 1024}")
                    + document("BGPConfiguration", "node.n1", "{ignoredInterfaces: [eth9]}")
                    + document("BGPConfiguration", "node.n2", "{ignoredInterfaces: [eth8]}"))
            .orElseThrow();
    assertThat(intent.problems())
        .containsExactly(
            "BGPConfiguration default: serviceClusterIPs has no effect here; services are not"
                + " announced",
            "BGPConfiguration node.n1: ignoredInterfaces has no effect here");
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
  void a_node_without_an_ipv4_address_goes_by_its_name_unless_it_has_a_router_id() {
    String sixOnly = document("Node", "n1", "{bgp: {ipv6Address: 'fd00::7/64'}}");
    assertThat(intent(NOTHING_SET, sixOnly).orElseThrow().identity().routerId())
        .isEqualTo(HashedRouterId.of("n1"));
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
    onlyProblem("{localWorkloadSelector: all(), asNumber: 65001}", "localWorkloadSelector");
    onlyProblem(
        "{peerIP: 172.16.0.0, asNumber: 65001, password: {secretKeyRef: {name: s, key: k}}}",
        "password",
        "key k of secret s");
    onlyProblem(
        "{peerIP: 172.16.0.0, asNumber: 65001, filters: [only-mine]}",
        "BGPFilter only-mine does not exist");
    onlyProblem("{peerIP: 'fe80::1', asNumber: 65001}", "fe80::1%eth0");
    onlyProblem("{peerIP: 172.16.0.0, asNumber: 65001, maxRestartTime: 2h}", "restart time");
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
    PeerConfig left = onlyPeer("{peerIP: 172.16.0.0, asNumber: 65001, sourceAddress: None}");
    assertThat(left.connection().localAddress()).isEqualTo(IpAddress.parse("172.16.0.1"));
    assertThat(left.nextHops())
        .isEqualTo(
            Map.of(
                IpFamily.IPV4, IpAddress.parse("172.16.0.1"),
                IpFamily.IPV6, IpAddress.parse("fd01::1")));
    PeerConfig right = onlyPeer("{peerIP: 'fd02::', asNumber: 65001, sourceAddress: None}");
    assertThat(right.connection().localAddress()).isEqualTo(IpAddress.parse("fd02::1"));
    assertThat(right.nextHops())
        .isEqualTo(
            Map.of(
                IpFamily.IPV4, IpAddress.parse("172.16.1.1"),
                IpFamily.IPV6, IpAddress.parse("fd02::1")));
  }

  @ParameterizedTest
  @CsvSource({
    "UseNodeIP, 172.16.0.0, 10.0.0.1",
    "UseNodeIP, 192.0.2.1, 10.0.0.1",
    "UseNodeIP, fd02::, fd00::1",
    "None, 172.16.0.0, 172.16.0.1",
    "None, 192.0.2.1,"
  })
  void a_session_leaves_from_the_nodes_address_or_from_the_link(
      String source, String peer, @Nullable String local) {
    assertThat(
            onlyPeer("{peerIP: '" + peer + "', asNumber: 65001, sourceAddress: " + source + "}")
                .connection()
                .localAddress())
        .isEqualTo(local == null ? null : IpAddress.parse(local));
    if (source.equals("UseNodeIP")) {
      assertThat(onlyPeer("{peerIP: '" + peer + "', asNumber: 65001}").connection().localAddress())
          .isEqualTo(IpAddress.parse(String.valueOf(local)));
    }
  }

  @Test
  void a_distant_peer_hears_the_nodes_own_addresses() {
    PeerConfig distant = onlyPeer("{peerIP: '192.0.2.1:1179', asNumber: 65001}");
    assertThat(distant.nextHops()).isEmpty();
    assertThat(distant.connection().port()).isEqualTo(1179);
  }

  @Test
  void a_link_local_peer_is_spoken_to_on_its_link_and_hears_what_the_link_has() {
    PeerConfig left = onlyPeer("{peerIP: 'fe80::1%eth0', asNumber: 65001}");
    assertThat(left.remote()).hasToString("fe80::1%eth0");
    assertThat(left.connection().localAddress()).isNull();
    assertThat(left.connection().ttl()).isEqualTo(Ttl.adjacent());
    assertThat(left.nextHops())
        .isEqualTo(
            Map.of(
                IpFamily.IPV4, IpAddress.parse("172.16.0.1"),
                IpFamily.IPV6, IpAddress.parse("fd01::1")));
    // No address on that link is known: IPv4 goes with an IPv6 next hop (RFC 8950).
    assertThat(onlyPeer("{peerIP: 'fe80::1%eth7', asNumber: 65001}").nextHops()).isEmpty();
  }

  private static BgpIntent annotated(String bfd) {
    return annotated(bfd, 65001);
  }

  private static BgpIntent annotated(String bfd, int asn) {
    return intent(
            ADDRESS_SET,
            """
            apiVersion: projectcalico.org/v3
            kind: BGPPeer
            metadata: {name: tor, annotations: {margay.io/bfd: '%s'}}
            spec: {peerIP: 172.16.0.0, asNumber: %d}
            """
                .formatted(bfd, asn))
        .orElseThrow();
  }

  @Test
  void bfd_runs_where_an_annotation_asks_for_it() {
    assertThat(annotated("300ms x 3").peers().getFirst().bfd()).isEqualTo(BfdParameters.DEFAULT);
    assertThat(annotated("1s x5").peers().getFirst().bfd())
        .isEqualTo(new BfdParameters(Duration.ofSeconds(1), 5));
    assertThat(onlyPeer("{peerIP: 172.16.0.0, asNumber: 65001}").bfd()).isNull();
  }

  @Test
  void bfd_with_a_neighbour_of_the_same_as_is_that_of_one_hop() {
    assertThat(annotated("300ms x 3", 64512).peers().getFirst().connection().ttl())
        .isEqualTo(Ttl.adjacent());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "yes", "300 x 3", "300ms", "1ms x 3", "2m x 3", "300ms x 0"})
  void a_bfd_annotation_that_makes_no_sense_is_a_problem_and_no_session(String text) {
    BgpIntent intent = annotated(text);
    assertThat(intent.peers()).isEmpty();
    assertThat(intent.problems())
        .singleElement()
        .asString()
        .contains("BGPPeer tor: annotation margay.io/bfd: ", "no session is made");
  }

  @Test
  void a_password_that_is_still_looked_for_is_no_problem_yet_and_no_session() {
    BgpIntent intent =
        BgpIntent.of(
                "n1",
                ADDRESS_SET,
                Documents.view(
                    document(
                        "BGPPeer",
                        "tor",
                        "{peerIP: 172.16.0.0, asNumber: 65001,"
                            + " password: {secretKeyRef: {name: s, key: k}}}")),
                DUAL_TOR,
                _ -> new Passwords.Answer.Pending())
            .orElseThrow();
    assertThat(intent.peers()).isEmpty();
    assertThat(intent.problems()).isEmpty();
    assertThat(intent.awaitsPasswords()).isTrue();
    assertThat(intent(ADDRESS_SET, "").orElseThrow().awaitsPasswords()).isFalse();
  }

  @Test
  void a_peer_behind_a_gateway_gets_a_route_by_it() {
    BgpIntent intent =
        intent(
                ADDRESS_SET,
                document(
                    "BGPPeer",
                    "tor",
                    "{peerIP: 192.0.2.1, asNumber: 65001, reachableBy: 172.16.0.0}"))
            .orElseThrow();
    assertThat(intent.peers()).hasSize(1);
    assertThat(intent.gateways())
        .isEqualTo(Map.of(IpAddress.parse("192.0.2.1"), IpAddress.parse("172.16.0.0")));
    assertThat(intent.problems()).isEmpty();
    assertThat(
            intent(
                    ADDRESS_SET,
                    document(
                        "BGPPeer",
                        "tor",
                        "{peerIP: 'fe80::1%eth0', asNumber: 65001, reachableBy: 'fd01::'}"))
                .orElseThrow()
                .gateways())
        .isEmpty();
  }

  @Test
  void one_link_local_address_on_two_links_has_one_password() {
    String left = document("BGPPeer", "a", "{peerIP: 'fe80::1%eth0', asNumber: 65001}");
    String right =
        document(
            "BGPPeer",
            "b",
            "{peerIP: 'fe80::1%eth1', asNumber: 65001,"
                + " password: {secretKeyRef: {name: s, key: k}}}");
    Passwords known = _ -> new Passwords.Answer.Found(new Password("hunter2"));
    BgpIntent intent =
        BgpIntent.of("n1", ADDRESS_SET, Documents.view(left + right), DUAL_TOR, known)
            .orElseThrow();
    assertThat(intent.peers()).hasSize(1);
    assertThat(intent.problems())
        .singleElement()
        .asString()
        .contains("BGPPeer b: peer fe80::1%eth0 has the same address and another password");
    assertThat(
            intent(ADDRESS_SET, left + left.replace("name: a", "name: c").replace("eth0", "eth1"))
                .orElseThrow()
                .peers())
        .hasSize(2);
  }

  @Test
  void the_restart_time_is_the_nearest_second_of_what_the_peer_says() {
    assertThat(onlyPeer("{peerIP: 172.16.0.0, asNumber: 65001}").restartTime()).isNull();
    assertThat(
            onlyPeer("{peerIP: 172.16.0.0, asNumber: 65001, maxRestartTime: 90500ms}")
                .restartTime())
        .isEqualTo(Duration.ofSeconds(91));
  }

  @Test
  void the_deprecated_keeping_of_next_hops_is_for_external_peers_only() {
    assertThat(
            onlyPeer("{peerIP: 172.16.0.0, asNumber: 64512, keepOriginalNextHop: true}")
                .policy()
                .nextHop())
        .isEqualTo(NextHopMode.AUTO);
  }

  @Test
  void a_node_listens_at_its_own_port_before_the_clusters_and_where_it_is_bound() {
    String own = document("BGPConfiguration", "node.n1", "{listenPort: 1791}");
    assertThat(intent(ADDRESS_SET, CLUSTER + own).orElseThrow().identity().listenPort())
        .isEqualTo(1791);
    assertThat(intent(ADDRESS_SET, CLUSTER).orElseThrow().identity().bindsToNode()).isFalse();
    assertThat(
            intent(ADDRESS_SET, document("BGPConfiguration", "default", "{bindMode: NodeIP}"))
                .orElseThrow()
                .identity()
                .bindsToNode())
        .isTrue();
  }

  @ParameterizedTest
  @CsvSource({"172.16.0.0, 65001, 1", "172.16.0.0, 64512, 255", "192.0.2.1, 65001, 255"})
  void only_another_as_on_our_link_is_spoken_to_with_a_hop_limit_of_one(
      String address, long asn, int ttl) {
    assertThat(onlyPeer("{peerIP: " + address + ", asNumber: " + asn + "}").connection().ttl())
        .isEqualTo(Ttl.multihop(ttl));
  }
}
