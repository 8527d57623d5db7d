package io.margay.agent.firewall;

import static io.margay.agent.firewall.PolicyFixtures.ANY;
import static io.margay.agent.firewall.PolicyFixtures.change;
import static io.margay.agent.firewall.PolicyFixtures.endpoint;
import static io.margay.agent.firewall.PolicyFixtures.inSet;
import static io.margay.agent.firewall.PolicyFixtures.ingress;
import static io.margay.agent.firewall.PolicyFixtures.members;
import static io.margay.agent.firewall.PolicyFixtures.ports;
import static io.margay.agent.firewall.PolicyFixtures.profile;
import static io.margay.agent.firewall.PolicyFixtures.set;
import static io.margay.agent.firewall.PolicyFixtures.tcp;
import static io.margay.agent.firewall.PolicyFixtures.tier;

import io.margay.agent.dataplane.Dataplane;
import io.margay.agent.dataplane.FlowReevaluation;
import io.margay.agent.dataplane.NodeNetwork;
import io.margay.agent.loop.TestLoop;
import io.margay.agent.settings.PolicyChangeMode;
import io.margay.linux.conntrack.Conntrack;
import io.margay.linux.netlink.NetlinkMessage;
import io.margay.linux.nft.NftTable;
import io.margay.linux.nft.NftTable.Ownership;
import io.margay.linux.route.RouteTable;
import io.margay.linux.testing.FakeRoutes;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.policy.PolicyUpdate;
import io.margay.policy.RuleAction;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// What re-evaluation costs on a node with many connections. Prints, asserts no times.
@Tag("netns")
final class FlowReevaluationTimingTest {

  private static final int CONNECTIONS = 50_000;
  private static final int POLICIES = 20;
  private static final long PAUSE_NANOS = 2_000_000;

  @Test
  void fifty_thousand_connections() throws Exception {
    try (FirewallNamespaces lab = new FirewallNamespaces(0);
        TestLoop loop = new TestLoop("dataplane");
        TestLoop worker = new TestLoop("flows");
        Conntrack atOnce = lab.conntrack();
        Conntrack inRounds = lab.conntrack();
        Conntrack reader = lab.conntrack();
        NftTable table = new NftTable(lab.nftables(), "margay", Ownership.WHERE_PERSISTENT)) {
      fill(lab);
      for (int i = 0; i < 5; i++) {
        time("whole table read", () -> reader.connections(IpFamily.IPV4, one -> false).size());
        IpAddress one = IpAddress.parse("10.65.0.1");
        time("one address, all its", () -> reader.connections(IpFamily.IPV4, Set.of(one)).size());
        IpAddress none = IpAddress.parse("10.65.0.99");
        time("one address, none", () -> reader.connections(IpFamily.IPV4, Set.of(none)).size());
      }
      FakeRoutes kernel = new FakeRoutes();
      kernel.addDevice(11);
      RouteTable routes = new RouteTable(kernel, index -> index > 10);
      routes.adopt();
      FirewallManager firewall = new FirewallManager(table, FirewallSettings.DEFAULT);
      FlowReevaluation flows =
          new FlowReevaluation(
              loop.loop(),
              worker.loop(),
              table,
              firewall,
              PolicyChangeMode.REEVALUATE,
              atOnce,
              inRounds,
              new NodeNetwork(
                  () -> Set.of(IpAddress.parse("10.99.0.1")),
                  Map::of,
                  Set::of,
                  () -> _ -> Set.of()));
      Dataplane dataplane = new Dataplane(loop.loop(), firewall, routes, _ -> OptionalInt.of(11));
      dataplane.tellApplied(flows);
      worker.loop().start(() -> {});
      loop.loop().start(dataplane::settle);
      dataplane.onPolicy(start(), List.of());
      dataplane.begin(() -> {});

      // Each change denies one connection alone, by which the end of its round is known.
      for (int i = 0; i < 6; i++) {
        long begun = System.nanoTime();
        String leaving = "10.200.0." + i;
        dataplane.onPolicy(List.of(change("s:peers", members(), members(leaving))), List.of());
        if (i % 2 == 0) {
          // And one that concerns them all.
          dataplane.onPolicy(
              List.of(ingress("p0", tcp(0, RuleAction.DENY, ANY, ports(7, 8 + i)))), List.of());
        }
        long longest = watch(loop, flows, i + 1);
        System.out.printf(
            "round %d (%s): cut after %.0f ms, longest wait for the loop %.1f ms%n",
            i,
            i % 2 == 0 ? "all connections judged" : "one judged",
            (System.nanoTime() - begun) / 1e6,
            longest / 1e6);
      }
    }
  }

  /// Asks something of the loop all the time, as an ADD would.
  private static long watch(TestLoop loop, FlowReevaluation flows, long cut) {
    long longest = 0;
    while (flows.cut() < cut) {
      long asked = System.nanoTime();
      loop.run(() -> {});
      longest = Math.max(longest, System.nanoTime() - asked);
      LockSupport.parkNanos(PAUSE_NANOS);
    }
    return longest;
  }

  private static List<PolicyUpdate> start() {
    String[] peers = new String[256];
    for (int i = 0; i < 256; i++) {
      peers[i] = "10.200." + (i >> 3) + "." + (i & 7);
    }
    List<PolicyUpdate> updates = new ArrayList<>();
    updates.add(set("s:peers", peers));
    String[] policies = new String[POLICIES];
    for (int i = 0; i < POLICIES; i++) {
      policies[i] = "p" + i;
      boolean isLast = i == POLICIES - 1;
      updates.add(
          ingress(
              policies[i],
              isLast
                  ? tcp(0, RuleAction.ALLOW, inSet("s:peers"), ANY)
                  : tcp(0, RuleAction.DENY, ANY, ports(7, 8))));
    }
    updates.add(profile("open", RuleAction.ALLOW));
    updates.add(endpoint(1, List.of(tier(policies)), List.of(), "open"));
    return updates;
  }

  /// Connections from 256 peers, of which 10.200.0.0 to .7 have one each, to one pod.
  private static void fill(FirewallNamespaces lab) throws Exception {
    lab.in("r", "sysctl -qw net.netfilter.nf_conntrack_tcp_loose=1");
    try (var socket = lab.netfilter()) {
      List<NetlinkMessage> batch = new ArrayList<>();
      for (int i = 0; i < CONNECTIONS; i++) {
        String peer = i < 8 ? "10.200.0." + i : "10.200." + (1 + i % 31) + "." + (i & 7);
        batch.add(
            new TrackedFlow(PolicyFixtures.TCP, peer, 1024 + i / 8, "10.65.0.1", 80).creation());
      }
      if (!socket.batch(batch).isEmpty()) {
        throw new AssertionError("the kernel does not take " + CONNECTIONS + " connections");
      }
    }
  }

  private interface Reading {
    int read() throws Exception;
  }

  private static void time(String what, Reading reading) throws Exception {
    long begun = System.nanoTime();
    int found = reading.read();
    System.out.printf(
        "%s: %d connections in %.1f ms%n", what, found, (System.nanoTime() - begun) / 1e6);
  }
}
