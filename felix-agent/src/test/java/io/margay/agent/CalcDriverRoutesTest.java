package io.margay.agent;

import static io.margay.agent.calc.Documents.document;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.agent.overlay.OverlayPlan;
import io.margay.agent.overlay.TunnelAddressKeeper.Wish;
import io.margay.bgp.policy.ExportMode;
import io.margay.bgp.policy.ImportMode;
import io.margay.bgp.policy.PeerPolicy;
import io.margay.bgp.speaker.BgpSpeaker;
import io.margay.bgp.speaker.CloseMode;
import io.margay.bgp.speaker.FibChange;
import io.margay.bgp.speaker.FibDelta;
import io.margay.bgp.speaker.FibListener;
import io.margay.bgp.speaker.OriginatedRoute;
import io.margay.bgp.speaker.PeerConfig;
import io.margay.bgp.speaker.SpeakerConfig;
import io.margay.bgp.transport.ListenAddress;
import io.margay.datastore.SyncStatus;
import io.margay.datastore.Txn;
import io.margay.ipam.AssignRequest;
import io.margay.ipam.AssignResult;
import io.margay.ipam.IpamKeys;
import io.margay.ipam.SameTxn;
import io.margay.linux.route.NextHop;
import io.margay.linux.route.Route;
import io.margay.linux.route.RouteSpec;
import io.margay.linux.route.RouteType;
import io.margay.linux.route.Scope;
import io.margay.model.net.Asn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.model.net.RouterId;
import io.margay.model.net.ScopedAddress;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/// Pools and blocks, and what peers are told of them.
final class CalcDriverRoutesTest extends CalcDriverFixture {

  /// A neighbour that, as after a restart, tells what it learned before the first End-of-RIB.
  private static BgpSpeaker neighbour(int port, BlockingQueue<String> heard) throws Exception {
    SpeakerConfig config =
        SpeakerConfig.builder(Asn.of(65001), RouterId.parse("9.9.9.9"))
            .listen(Set.of(ListenAddress.of(ScopedAddress.parse("127.0.0.2"), port)))
            .nextHops(Map.of(IpFamily.IPV4, IpAddress.parse("192.0.2.9")))
            .restart(
                new SpeakerConfig.Restart(
                    true, SpeakerConfig.Restart.DEFAULT_TIME, Duration.ofMinutes(5), true, true))
            .build();
    FibListener ears =
        new FibListener() {
          @Override
          public void onRoutes(FibDelta delta) {
            delta.changes().stream()
                .map(FibChange::prefix)
                .map(Prefix::toString)
                .forEach(heard::add);
          }

          @Override
          public void onReadyToSweep(IpFamily family) {
            heard.add("End-of-RIB of " + family);
          }
        };
    BgpSpeaker speaker = BgpSpeaker.start(config, ears, InstantSource.system(), new Random(2));
    speaker.configure(
        List.of(
            PeerConfig.builder(
                    ScopedAddress.parse("127.0.0.1"),
                    Asn.of(64512),
                    PeerPolicy.builder()
                        .importMode(ImportMode.ACCEPT)
                        .exportMode(ExportMode.OWN)
                        .build())
                .families(Set.of(IpFamily.values()))
                // A loopback address, which the session has, leads nobody back.
                .nextHops(Map.of(IpFamily.IPV4, IpAddress.parse("192.0.2.9")))
                .build()));
    return speaker;
  }

  private static int freePort() throws Exception {
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.2"))) {
      return free.getLocalPort();
    }
  }

  @Test
  void a_pool_whose_packets_are_wrapped_is_guarded_and_planned_for_and_leaves_nothing_behind()
      throws Exception {
    put(
        document("Node", "n1", "{bgp: {ipv4Address: 192.0.2.1/24}, ipv4VXLANTunnelAddr: 10.65.0.0}")
            + document(
                "Node",
                "n2",
                "{bgp: {ipv4Address: 198.51.100.2/24}, ipv4VXLANTunnelAddr: 10.65.9.0}")
            + document("FelixConfiguration", "default", "{vxlanPort: 8472}")
            + document("HostEndpoint", "n1-all", "{node: n1, interfaceName: '*'}")
            + OPEN_PROFILE
            + document("IPPool", "p", "{cidr: 10.65.0.0/16, vxlanMode: Always}"));
    put(endpoint("n1", "c1"));
    Prefix block = Prefix.parse("10.65.9.0/30");
    putRaw(
        IpamKeys.block(block),
        "{\"cidr\":\"10.65.9.0/30\",\"affinity\":\"host:n2\",\"allocations\":[null,null,null,null],"
            + "\"unallocated\":[0,1,2,3],\"attributes\":[],\"sequenceNumber\":1,"
            + "\"sequenceNumberForAllocation\":{},\"deleted\":false}");
    syncer.start();

    assertThat(
            dataplaneLoop.await(
                this::text,
                text -> text.contains("chain tunnel_in") && text.contains("egress|vxlan-port")))
        .contains(
            "udp th dport 8472",
            "comment \"tunnel|stranger\"",
            "notrack comment \"tunnel|untracked|in\"",
            "notrack comment \"tunnel|untracked|out\"",
            "0x00000001 . 198.51.100.2",
            "comment \"host|ingress|tunnel\"",
            "comment \"host|egress|tunnel\"");
    OverlayPlan plan = plans.poll(10, TimeUnit.SECONDS);
    assertThat(plan).isNotNull();
    assertThat(Objects.requireNonNull(plan.wrappings().get(IpFamily.IPV4)).routes())
        .isEqualTo(Map.of(block, new OverlayPlan.Way.Tunnelled(IpAddress.parse("10.65.9.0"))));
    assertThat(wishes.poll(10, TimeUnit.SECONDS).get(IpFamily.IPV4))
        .isEqualTo(
            new Wish(List.of(POOL), List.of(POOL), Optional.of(IpAddress.parse("10.65.0.0"))));

    put(document("IPPool", "p", "{cidr: 10.65.0.0/16}"));
    assertThat(dataplaneLoop.await(this::text, text -> !text.contains("chain tunnel_")))
        .doesNotContain("198.51.100.2", "|tunnel\"", "8472");
    assertThat(plans.poll(10, TimeUnit.SECONDS)).isEqualTo(OverlayPlan.NONE);
  }

  @Test
  void pools_and_nat_follow_the_store() throws Exception {
    put(document("IPPool", "web", "{cidr: 10.65.0.0/16, natOutgoing: true}"));
    syncer.start();
    assertThat(calcLoop.await(() -> calc.poolByName("web"), Optional::isPresent)).contains(POOL);
    dataplaneLoop.await(this::text, text -> text.contains("masquerade"));
    put(document("FelixConfiguration", "default", "{natPortRange: '32768:60999'}"));
    dataplaneLoop.await(this::text, text -> text.contains("masquerade to :32768-60999"));
    assertThat(calc.syncStatus()).isInstanceOf(SyncStatus.InSync.class);
  }

  @Test
  void a_peer_with_a_password_is_had_once_the_password_is_there_and_as_long_as_it_is()
      throws Exception {
    put(
        document("Node", "n1", "{bgp: {ipv4Address: 10.0.0.1/24}}")
            + document("BGPConfiguration", "default", "{listenPort: " + freePort() + "}")
            + document(
                "BGPPeer",
                "tor",
                "{peerIP: 127.0.0.2, asNumber: 65001, sourceAddress: None,"
                    + " password: {secretKeyRef: {name: s, key: k}}}"));
    syncer.start();
    calcLoop.await(bgp::problems, problems -> problems.toString().contains("secret s"));
    assertThat(bgp.peers()).isEmpty();
    putRaw("/margay/v1/secrets/s/k", "hunter2");
    calcLoop.await(bgp::peers, peers -> peers.size() == 1);
    assertThat(bgp.problems()).isEmpty();
    store.commit(Txn.builder().delete("/margay/v1/secrets/s/k").build());
    calcLoop.await(bgp::peers, List::isEmpty);
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(60, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException ended) {
      throw new IllegalStateException(ended);
    }
  }

  @Test
  void blocks_are_announced_after_their_blackholes_and_before_any_peer_is_spoken_to()
      throws Exception {
    AssignResult assigned =
        ipam.assign(new AssignRequest("h", "n1", 0, 1, Map.of(), List.of(), SameTxn.nothing()));
    Prefix block =
        Prefix.containing(
            ((AssignResult.Assigned) assigned).assignments().getFirst().address(), 122);
    int ownPort = freePort();
    int peerPort = freePort();
    put(
        document("IPPool", "p", "{cidr: 'fd00:65::/112'}")
            + document("Node", "n1", "{bgp: {ipv4Address: 10.0.0.1/24}}")
            + document("BGPConfiguration", "default", "{listenPort: " + ownPort + "}")
            + document(
                "BGPPeer",
                "tor",
                "{peerIP: '127.0.0.2:" + peerPort + "', asNumber: 65001, sourceAddress: None}"));
    CountDownLatch held = new CountDownLatch(1);
    dataplaneLoop.loop().post(() -> await(held));
    syncer.start();
    calcLoop.await(() -> calc.snapshot().blocks().confirmed(), Set.of(block)::equals);
    assertThat(calcLoop.see(bgp::status)).as("no blackhole yet").isEmpty();

    BlockingQueue<String> heard = new LinkedBlockingQueue<>();
    BgpSpeaker neighbour = neighbour(peerPort, heard);
    try {
      held.countDown();
      assertThat(calcLoop.await(bgp::status, Optional::isPresent).orElseThrow().originated())
          .isEqualTo(1);
      List<String> until = new ArrayList<>();
      while (!until.contains("End-of-RIB of IPV6")) {
        until.add(Objects.requireNonNull(heard.poll(60, TimeUnit.SECONDS), until::toString));
      }
      assertThat(until).contains(block.toString());
    } finally {
      neighbour.close(CloseMode.SHUTDOWN);
    }
  }

  @Test
  void a_strangers_route_on_a_block_silences_that_block_alone_until_it_goes() throws Exception {
    Prefix free = Prefix.parse("10.65.1.0/26");
    Prefix taken = Prefix.parse("10.65.2.0/26");
    for (Prefix block : List.of(free, taken)) {
      putRaw(IpamKeys.affinity("n1", block), "{\"state\":\"confirmed\"}");
    }
    put(
        document("IPPool", "p", "{cidr: 10.65.0.0/16}")
            + document("Node", "n1", "{bgp: {ipv4Address: 10.0.0.1/24}}")
            + document("BGPConfiguration", "default", "{listenPort: " + freePort() + "}"));
    kernel.plant(
        new Route(
            taken,
            Route.MAIN_TABLE,
            4,
            RouteType.UNICAST,
            Scope.LINK,
            0,
            List.of(NextHop.onDevice(11)),
            Optional.empty()));
    syncer.start();
    calcLoop.await(() -> calc.snapshot().blocks().confirmed(), Set.of(free, taken)::equals);
    calcLoop.await(bgp::status, status -> status.filter(s -> s.originated() == 1).isPresent());
    assertThat(dataplaneLoop.see(kernel::all)).contains(RouteSpec.blackhole().toRoute(free));
    dataplaneLoop.run(() -> kernel.tamper(taken));
    calcLoop.await(bgp::status, status -> status.filter(s -> s.originated() == 2).isPresent());
    assertThat(dataplaneLoop.see(kernel::all)).contains(RouteSpec.blackhole().toRoute(taken));
  }

  @Test
  void what_peers_say_of_a_pool_whose_packets_are_wrapped_is_not_believed() throws Exception {
    int ownPort = freePort();
    int peerPort = freePort();
    kernel.addDevice(2, Prefix.parse("192.0.2.0/24"));
    put(
        document("IPPool", "p", "{cidr: 10.65.0.0/16, vxlanMode: CrossSubnet}")
            + document("Node", "n1", "{bgp: {ipv4Address: 10.0.0.1/24}}")
            + document("BGPConfiguration", "default", "{listenPort: " + ownPort + "}")
            + document(
                "BGPPeer",
                "tor",
                "{peerIP: '127.0.0.2:" + peerPort + "', asNumber: 65001, sourceAddress: None}"));
    BgpSpeaker neighbour = neighbour(peerPort, new LinkedBlockingQueue<>());
    try {
      neighbour.originate(
          Set.of(
              OriginatedRoute.of(Prefix.parse("10.65.7.0/26")),
              OriginatedRoute.of(Prefix.parse("10.64.0.0/15")),
              OriginatedRoute.of(Prefix.parse("203.0.113.0/24"))));
      syncer.start();
      Set<Prefix> learned =
          dataplaneLoop.await(
              () -> kernel.all().stream().map(Route::prefix).collect(Collectors.toSet()),
              prefixes -> prefixes.contains(Prefix.parse("203.0.113.0/24")));
      assertThat(learned).containsExactly(Prefix.parse("203.0.113.0/24"));

      put(document("IPPool", "p", "{cidr: 10.65.0.0/16}"));
      dataplaneLoop.await(
          () -> kernel.all().stream().map(Route::prefix).collect(Collectors.toSet()),
          prefixes -> prefixes.contains(Prefix.parse("10.65.7.0/26")));
    } finally {
      neighbour.close(CloseMode.SHUTDOWN);
    }
  }
}
