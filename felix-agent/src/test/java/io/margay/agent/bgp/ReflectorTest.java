package io.margay.agent.bgp;

import static io.margay.agent.calc.Documents.document;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.agent.calc.Documents;
import io.margay.agent.settings.AgentSettings;
import io.margay.bgp.speaker.AdvertisedStatus;
import io.margay.bgp.speaker.FibListener;
import io.margay.bgp.speaker.OriginatedRoute;
import io.margay.bgp.speaker.PeerStatus;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Ipv4Address;
import io.margay.model.net.Prefix;
import java.io.IOException;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// A reflector, n3 on 127.0.0.3, and two nodes that have no other peer, over real sockets.
class ReflectorTest {

  private static final IpAddress TWO = IpAddress.parse("127.0.0.2");

  private final int port = Loopback.freePort();
  private final BgpGlue one = glue(1);
  private final BgpGlue two = glue(2);
  private final BgpGlue reflector = glue(3);

  private static BgpGlue glue(int number) {
    return new BgpGlue(FibListener.NONE, false, false, InstantSource.system(), new Random(number));
  }

  @AfterEach
  void stop() {
    one.close();
    two.close();
    reflector.close();
  }

  private BgpIntent intent(int number) {
    AgentSettings.Bgp settings =
        new AgentSettings.Bgp(
            Optional.of(Ipv4Address.parse("127.0.0." + number)),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            false);
    String documents =
        document(
                "BGPConfiguration",
                "default",
                "{listenPort: " + port + ", bindMode: NodeIP, nodeToNodeMeshEnabled: false}")
            + document("IPPool", "p", "{cidr: 10.65.0.0/16}")
            + document("Node", "n3", "{bgp: {routeReflectorClusterID: 1.0.0.1}}")
            + peer("n3", 1)
            + peer("n3", 2)
            + peer("n1", 3)
            + peer("n2", 3);
    // 127/8 is no next hop: the nodes call themselves something else.
    LinkAddress link =
        new LinkAddress(
            new InterfaceName("lab0"),
            IpAddress.parse("192.0.2." + number),
            Prefix.parse("127.0.0.0/8"));
    BgpIntent intent =
        BgpIntent.of(
                "n" + number, settings, Documents.view(documents), List.of(link), Passwords.NONE)
            .orElseThrow();
    assertThat(intent.problems()).isEmpty();
    return intent;
  }

  private String peer(String node, int other) {
    return document(
        "BGPPeer",
        node + "-" + other,
        "{node: %s, peerIP: '127.0.0.%d:%d', asNumber: 64512}".formatted(node, other, port));
  }

  private List<AdvertisedStatus> reflected() {
    return reflector.speaker().orElseThrow().advertised(TWO);
  }

  @Test
  void what_one_client_tells_of_pools_the_other_hears_and_nothing_else() throws IOException {
    one.announce(
        Set.of(
            OriginatedRoute.of(Prefix.parse("10.65.0.0/26")),
            OriginatedRoute.of(Prefix.parse("10.99.0.0/26"))),
        Set.of());
    one.configure(intent(1));
    two.configure(intent(2));
    reflector.configure(intent(3));
    Loopback.until(
        "the reflector has both routes",
        reflector::peers,
        () ->
            reflector.peers().stream()
                    .flatMap(peer -> peer.families().values().stream())
                    .mapToInt(PeerStatus.FamilyStatus::prefixesAccepted)
                    .sum()
                == 2);
    Loopback.until("a route is reflected", this::reflected, () -> !reflected().isEmpty());
    assertThat(reflected()).hasSize(1);
    AdvertisedStatus told = reflected().getFirst();
    assertThat(told.prefix()).isEqualTo(Prefix.parse("10.65.0.0/26"));
    assertThat(told.nextHop()).isEqualTo(IpAddress.parse("192.0.2.1"));
    assertThat(told.route().attributes().originatorId()).isNotNull();
    assertThat(told.route().attributes().clusterList().contains(1 << 24 | 1)).isTrue();
    // Nodes that do not reflect tell no route of others.
    assertThat(two.speaker().orElseThrow().advertised(IpAddress.parse("127.0.0.3"))).isEmpty();
  }
}
