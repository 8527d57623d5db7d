package io.margay.agent.firewall;

import io.margay.agent.dataplane.Dataplane;
import io.margay.agent.dataplane.FlowReevaluation;
import io.margay.agent.loop.TestLoop;
import io.margay.agent.settings.PolicyChangeMode;
import io.margay.linux.conntrack.Conntrack;
import io.margay.linux.nft.NftTable;
import io.margay.linux.nft.NftTable.Ownership;
import io.margay.linux.route.RouteTable;
import io.margay.linux.testing.FakeRoutes;
import io.margay.model.net.IpAddress;
import io.margay.policy.PolicyUpdate;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;

/// The dataplane of an agent in the router namespace, with all that a process remembers.
final class FlowAgent implements AutoCloseable {
  final TestLoop loop = new TestLoop("dataplane");
  private final TestLoop worker = new TestLoop("flows");
  private final Conntrack atOnce;
  private final Conntrack inRounds;
  private final NftTable table;
  final FlowReevaluation flows;
  final FirewallManager firewall;
  private final Dataplane dataplane;

  FlowAgent(FirewallNamespaces lab, PolicyChangeMode mode, Ownership ownership) throws Exception {
    this(lab, mode, ownership, 1000);
  }

  /// @param mostHeld how many connections a round of re-evaluation holds
  FlowAgent(FirewallNamespaces lab, PolicyChangeMode mode, Ownership ownership, int mostHeld)
      throws Exception {
    atOnce = lab.conntrack();
    inRounds = lab.conntrack();
    table = new NftTable(lab.nftables(), "margay", ownership);
    firewall = new FirewallManager(table, FirewallSettings.DEFAULT);
    FakeRoutes kernel = new FakeRoutes();
    RouteTable routes = new RouteTable(kernel, index -> index > 10);
    for (int device = 11; device < 15; device++) {
      kernel.addDevice(device);
    }
    routes.adopt();
    Set<IpAddress> node = Set.of(IpAddress.parse("10.99.0.1"), IpAddress.parse("192.0.2.1"));
    flows =
        new FlowReevaluation(
            loop.loop(), worker.loop(), table, mode, atOnce, inRounds, () -> node, mostHeld);
    dataplane =
        new Dataplane(
            loop.loop(),
            firewall,
            routes,
            name -> OptionalInt.of(10 + Integer.parseInt(name.value().substring(4))));
    dataplane.tellApplied(flows);
    worker.loop().start(() -> {});
    loop.loop().start(dataplane::settle);
  }

  /// Hands over everything once, as after a start.
  void begin(PolicyUpdate... updates) {
    dataplane.onPolicy(List.of(updates), List.of());
    dataplane.begin(() -> {});
    loop.see(() -> true);
  }

  void apply(PolicyUpdate... updates) {
    post(updates);
    loop.see(() -> true);
  }

  /// Hands over and does not wait.
  void post(PolicyUpdate... updates) {
    dataplane.onPolicy(List.of(updates), List.of());
  }

  /// Waits until so many connections were cut.
  void awaitCut(long connections) {
    loop.await(flows::cut, cut -> cut == connections);
  }

  @Override
  public void close() {
    loop.close();
    worker.close();
    table.close();
    atOnce.close();
    inRounds.close();
  }
}
