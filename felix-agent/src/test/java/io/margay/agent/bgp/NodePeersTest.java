package io.margay.agent.bgp;

import static io.margay.agent.calc.Documents.document;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.agent.calc.Documents;
import io.margay.agent.settings.AgentSettings;
import io.margay.bgp.fsm.ExpectedAs;
import io.margay.bgp.speaker.PeerConfig;
import io.margay.model.net.Asn;
import io.margay.model.net.IpFamily;
import io.margay.model.net.ScopedAddress;
import io.margay.model.resource.Kind;
import io.margay.model.resource.ResourceRef;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/// Sessions between nodes: the mesh, peerSelector and its other end, route reflectors.
class NodePeersTest {

  private static final AgentSettings.Bgp SETTINGS =
      new AgentSettings.Bgp(
          Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(), true);

  private static final String MESH_OFF =
      document("BGPConfiguration", "default", "{nodeToNodeMeshEnabled: false}");

  private static String node(String name, String labels, String bgp) {
    return """
    apiVersion: projectcalico.org/v3
    kind: Node
    metadata: {name: %s, labels: {%s}}
    spec: {bgp: {%s}}
    ---
    """
        .formatted(name, labels, bgp);
  }

  /// Three nodes of one subnet; n2 is dual-stack as n1 is, n3 has IPv4 alone.
  private static final String NODES =
      node("n1", "rack: a", "ipv4Address: 10.0.0.9/24, ipv6Address: 'fd00::9/64'")
          + node("n2", "rack: b", "ipv4Address: 10.0.0.10/24, ipv6Address: 'fd00::a/64'")
          + node("n3", "rack: b", "ipv4Address: 10.0.0.3/24, asNumber: 64603");

  private static BgpIntent intent(String node, String documents) {
    return BgpIntent.of(node, SETTINGS, Documents.view(documents), List.of(), Passwords.NONE)
        .orElseThrow();
  }

  private static Map<String, PeerConfig> peers(String node, String documents) {
    BgpIntent intent = intent(node, documents);
    assertThat(intent.problems()).isEmpty();
    Map<String, PeerConfig> peers = new TreeMap<>();
    intent.peers().forEach(peer -> peers.put(peer.remote().toString(), peer));
    return peers;
  }

  private static PeerConfig known(Map<String, PeerConfig> peers, String address) {
    return Objects.requireNonNull(peers.get(address), address);
  }

  @Test
  void without_any_configuration_each_node_peers_with_each_other_in_the_families_both_have() {
    assertThat(peers("n1", NODES).keySet()).containsExactly("10.0.0.10", "10.0.0.3", "fd00::a");
    assertThat(peers("n2", NODES).keySet()).containsExactly("10.0.0.3", "10.0.0.9", "fd00::9");
    assertThat(peers("n3", NODES).keySet()).containsExactly("10.0.0.10", "10.0.0.9");
    assertThat(peers("n1", MESH_OFF + NODES)).isEmpty();
  }

  @Test
  void a_mesh_session_carries_the_family_of_its_address_to_the_as_of_the_node() {
    PeerConfig three = known(peers("n1", NODES), "10.0.0.3");
    assertThat(three.families()).isEqualTo(Set.of(IpFamily.IPV4));
    assertThat(three.asn()).isEqualTo(ExpectedAs.only(Asn.of(64603)));
    assertThat(three.description()).isEqualTo("node-to-node mesh");
    PeerConfig two = known(peers("n1", NODES), "fd00::a");
    assertThat(two.families()).isEqualTo(Set.of(IpFamily.IPV6));
    assertThat(two.asn()).isEqualTo(ExpectedAs.only(Asn.of(64512)));
    assertThat(intent("n1", NODES).origins().get(ScopedAddress.parse("fd00::a")))
        .isEqualTo(PeerOrigin.NODE_MESH);
  }

  @Test
  void of_each_pair_exactly_one_dials_and_the_text_of_the_address_says_which() {
    for (List<String> pair :
        List.of(
            List.of("n1", "10.0.0.9", "n2", "10.0.0.10"),
            List.of("n1", "10.0.0.9", "n3", "10.0.0.3"),
            List.of("n1", "fd00::9", "n2", "fd00::a"))) {
      boolean first = known(peers(pair.get(0), NODES), pair.get(3)).connection().passive();
      boolean second = known(peers(pair.get(2), NODES), pair.get(1)).connection().passive();
      assertThat(first).isNotEqualTo(second);
    }
    // As a text, 10.0.0.9 is greater than 10.0.0.10.
    assertThat(known(peers("n1", NODES), "10.0.0.10").connection().passive()).isFalse();
  }

  @Test
  void the_meshs_port_and_restart_time_are_the_clusters_or_the_nodes() {
    String settings =
        document("BGPConfiguration", "default", "{listenPort: 1790, nodeMeshMaxRestartTime: 30s}")
            + document("BGPConfiguration", "node.n2", "{listenPort: 1792}");
    Map<String, PeerConfig> peers = peers("n1", settings + NODES);
    assertThat(known(peers, "10.0.0.3").connection().port()).isEqualTo(1790);
    assertThat(known(peers, "10.0.0.10").connection().port()).isEqualTo(1792);
    assertThat(known(peers, "10.0.0.3").restartTime()).hasSeconds(30);
  }

  @Test
  void a_mesh_without_its_password_is_no_mesh_and_one_problem() {
    BgpIntent intent =
        intent(
            "n1",
            document(
                    "BGPConfiguration",
                    "default",
                    "{nodeMeshPassword: {secretKeyRef: {name: mesh, key: pw}}}")
                + NODES);
    assertThat(intent.peers()).isEmpty();
    assertThat(intent.problems())
        .singleElement()
        .asString()
        .contains("node-to-node mesh", "key pw of secret mesh", "no session");
  }

  @Test
  void while_the_clusters_settings_cannot_be_read_there_is_no_mesh() {
    var view = Documents.view(NODES);
    view.onUnreadable(new ResourceRef(Kind.BGP_CONFIGURATION, "", "default"), "spec.x: odd");
    BgpIntent intent = BgpIntent.of("n1", SETTINGS, view, List.of(), Passwords.NONE).orElseThrow();
    assertThat(intent.peers()).isEmpty();
    assertThat(intent.problems()).singleElement().asString().contains("can't be read", "mesh");
    Documents.read(MESH_OFF.replace("false", "true"))
        .forEach(resource -> view.onUpdate(resource.ref(), resource));
    assertThat(BgpIntent.of("n1", SETTINGS, view, List.of(), Passwords.NONE).orElseThrow().peers())
        .hasSize(3);
  }

  @Test
  void a_bgppeer_for_a_nodes_address_stands_before_the_mesh() {
    String tuned = document("BGPPeer", "tuned", "{peerIP: 10.0.0.3, asNumber: 64603, node: n1}");
    PeerConfig three = known(peers("n1", tuned + NODES), "10.0.0.3");
    assertThat(three.description()).isEqualTo("tuned");
    assertThat(three.families()).isEqualTo(Set.of(IpFamily.values()));
    assertThat(intent("n1", tuned + NODES).origins().get(ScopedAddress.parse("10.0.0.3")))
        .isEqualTo(PeerOrigin.NODE_PEER);
  }

  @Test
  void selected_nodes_are_peers_and_peer_back_unless_that_is_left_to_the_operator() {
    String peering =
        document("BGPPeer", "a-b", "{nodeSelector: \"rack == 'a'\", peerSelector: rack == 'b'}");
    String documents = MESH_OFF + NODES + peering;
    assertThat(peers("n1", documents).keySet()).containsExactly("10.0.0.10", "10.0.0.3", "fd00::a");
    assertThat(peers("n2", documents).keySet()).containsExactly("10.0.0.9", "fd00::9");
    assertThat(peers("n3", documents).keySet()).containsExactly("10.0.0.9");
    assertThat(known(peers("n1", documents), "10.0.0.3").connection().passive())
        .isNotEqualTo(known(peers("n3", documents), "10.0.0.9").connection().passive());
    String manual = documents.replace("'a'\",", "'a'\", reversePeering: Manual,");
    assertThat(peers("n1", manual)).hasSize(3);
    assertThat(peers("n2", manual)).isEmpty();
    assertThat(peers("n1", manual).values()).noneMatch(peer -> peer.connection().passive());
  }

  @Test
  void who_is_named_by_address_and_as_peers_back_in_that_family() {
    String peering = document("BGPPeer", "to-n3", "{node: n1, peerIP: 10.0.0.3, asNumber: 64603}");
    assertThat(peers("n3", MESH_OFF + NODES + peering).keySet()).containsExactly("10.0.0.9");
    assertThat(peers("n3", MESH_OFF + NODES + peering.replace("64603", "64604"))).isEmpty();
    assertThat(peers("n3", MESH_OFF + NODES + peering.replace("10.0.0.3", "'10.0.0.3:1179'")))
        .isEmpty();
  }

  @Test
  void the_end_a_peer_points_at_expects_the_as_its_holder_shows() {
    String peering =
        document(
            "BGPPeer",
            "a-b",
            "{nodeSelector: \"rack == 'a'\", peerSelector: rack == 'b', localASNumber: 65099}");
    String documents = MESH_OFF + NODES + peering;
    assertThat(known(peers("n3", documents), "10.0.0.9").asn())
        .isEqualTo(ExpectedAs.only(Asn.of(65099)));
    assertThat(known(peers("n3", documents), "10.0.0.9").policy().localAs()).isNull();
    assertThat(known(peers("n1", documents), "10.0.0.3").asn())
        .isEqualTo(ExpectedAs.only(Asn.of(64603)));
  }

  @Test
  void a_global_peer_that_is_a_node_is_dialled_by_one_of_the_two() {
    String global = document("BGPPeer", "everybodys", "{peerIP: 10.0.0.10, asNumber: 64512}");
    String documents = MESH_OFF + NODES + global;
    assertThat(known(peers("n1", documents), "10.0.0.10").connection().passive()).isFalse();
    assertThat(known(peers("n2", documents), "10.0.0.9").connection().passive()).isTrue();
    // It is no peer of itself.
    assertThat(peers("n2", documents).keySet()).containsExactly("10.0.0.3", "10.0.0.9");
  }

  private static final String REFLECTED =
      NODES
          + node("rr1", "rr: 'true'", "ipv4Address: 10.0.1.1/24, routeReflectorClusterID: 1.0.0.1")
          + node("rr2", "rr: 'true'", "ipv4Address: 10.0.1.2/24, routeReflectorClusterID: 1.0.0.1")
          + node("rr3", "rr: 'true'", "ipv4Address: 10.0.1.3/24, routeReflectorClusterID: 1.0.0.3");

  @Test
  void reflectors_are_outside_the_mesh() {
    assertThat(peers("n1", REFLECTED).keySet()).containsExactly("10.0.0.10", "10.0.0.3", "fd00::a");
    assertThat(peers("rr1", REFLECTED)).isEmpty();
  }

  @Test
  void a_reflector_has_as_clients_the_peers_of_its_as_that_are_not_of_its_cluster() {
    String peering = document("BGPPeer", "rrs", "{nodeSelector: all(), peerSelector: has(rr)}");
    String documents = MESH_OFF + REFLECTED + peering;
    Map<String, PeerConfig> peers = peers("rr1", documents);
    assertThat(intent("rr1", documents).identity().clusterId().map(Object::toString))
        .contains("1.0.0.1");
    assertThat(known(peers, "10.0.0.9").routeReflectorClient()).isTrue();
    assertThat(known(peers, "10.0.1.3").routeReflectorClient()).isTrue();
    assertThat(known(peers, "10.0.1.2").routeReflectorClient()).isFalse();
    // Of another AS.
    assertThat(known(peers, "10.0.0.3").routeReflectorClient()).isFalse();
    assertThat(known(peers("n1", documents), "10.0.1.1").routeReflectorClient()).isFalse();
    assertThat(intent("n1", documents).identity().clusterId()).isEmpty();
  }
}
