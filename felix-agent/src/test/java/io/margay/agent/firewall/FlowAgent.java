package io.margay.agent.firewall;

import io.margay.agent.dataplane.Dataplane;
import io.margay.agent.dataplane.FlowReevaluation;
import io.margay.agent.dataplane.NodeNetwork;
import io.margay.agent.loop.TestLoop;
import io.margay.agent.settings.PolicyChangeMode;
import io.margay.linux.LinuxException;
import io.margay.linux.conntrack.Conntrack;
import io.margay.linux.netlink.NetlinkSocket;
import io.margay.linux.nft.NftKernel;
import io.margay.linux.nft.NftTable;
import io.margay.linux.nft.NftTable.Ownership;
import io.margay.linux.route.Route;
import io.margay.linux.route.RouteTable;
import io.margay.linux.route.Rtnetlink;
import io.margay.linux.testing.FakeRoutes;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.policy.PolicyUpdate;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/// The dataplane of an agent in the router namespace, with all that a process remembers.
final class FlowAgent implements AutoCloseable {
  /// The pod of which [#awaitRound] makes use; it need not be there.
  private static final int WITNESS = 4;

  /// Longer than any test.
  static final Duration NO_GLANCE = Duration.ofHours(1);

  private static final Map<InterfaceName, Set<IpAddress>> UPLINKS =
      Map.of(
          new InterfaceName("up0"),
          Set.of(IpAddress.parse("192.0.2.1"), IpAddress.parse("2001:db8::1")));

  final TestLoop loop = new TestLoop("dataplane");
  private final FirewallNamespaces lab;
  private final TestLoop worker = new TestLoop("flows");
  private final Conntrack atOnce;
  private final Conntrack inRounds;
  private final Rtnetlink netlink;
  private final NftTable table;
  final FlowReevaluation flows;
  final FirewallManager firewall;
  private final Dataplane dataplane;
  private int witnesses;

  FlowAgent(FirewallNamespaces lab, PolicyChangeMode mode, Ownership ownership) throws Exception {
    this(lab, lab.nftables(), mode, ownership, 1000, NO_GLANCE);
  }

  /// @param nftables of the router; closed with this
  /// @param mostHeld how many connections a round of re-evaluation holds
  /// @param glance how often connections with the ends of a cut one are looked for
  FlowAgent(
      FirewallNamespaces lab,
      NftKernel nftables,
      PolicyChangeMode mode,
      Ownership ownership,
      int mostHeld,
      Duration glance)
      throws Exception {
    this.lab = lab;
    atOnce = lab.conntrack();
    inRounds = lab.conntrack();
    netlink = lab.rtnetlink();
    table = new NftTable(nftables, "margay", ownership);
    firewall = new FirewallManager(table, FirewallSettings.DEFAULT);
    FakeRoutes kernel = new FakeRoutes();
    RouteTable routes = new RouteTable(kernel, index -> index > 10);
    for (int device = 11; device < 15; device++) {
      kernel.addDevice(device);
    }
    routes.adopt();
    Set<IpAddress> node = new HashSet<>(Set.of(IpAddress.parse("10.99.0.1")));
    UPLINKS.values().forEach(node::addAll);
    flows =
        new FlowReevaluation(
            loop.loop(),
            worker.loop(),
            table,
            firewall,
            mode,
            atOnce,
            inRounds,
            new NodeNetwork(() -> node, () -> UPLINKS, Set::of, () -> this::ways),
            mostHeld,
            glance);
    flows.adopt();
    dataplane = new Dataplane(loop.loop(), firewall, routes, FlowAgent::linkIndex);
    dataplane.tellApplied(flows);
    worker.loop().start(() -> {});
    loop.loop().start(dataplane::settle);
  }

  private static OptionalInt linkIndex(InterfaceName name) {
    return name.value().startsWith("cali")
        ? OptionalInt.of(10 + Integer.parseInt(name.value().substring(4)))
        : OptionalInt.empty();
  }

  private Set<InterfaceName> ways(IpAddress address) throws LinuxException {
    Optional<Route> route = netlink.routes().lookup(address);
    return route.isEmpty()
        ? Set.of()
        : Set.of(netlink.links().get(route.get().nextHops().getFirst().index()).name());
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

  /// Connections cut so far.
  long cut() {
    return flows.cut() - witnesses;
  }

  /// Waits until so many connections were cut.
  void awaitCut(long connections) {
    loop.await(this::cut, cut -> cut == connections);
  }

  /// Waits until all that was applied so far has been gone through: a connection of which it is
  /// known that it will be cut comes last.
  void awaitRound() throws Exception {
    long before = cut();
    try (NetlinkSocket tracking = lab.netfilter()) {
      String pod = "10.65.0." + WITNESS;
      tracking.request(new TrackedFlow(PolicyFixtures.TCP, "10.99.9.9", 1000, pod, 80).creation());
    }
    witnesses++;
    apply(
        PolicyFixtures.endpoint(
            WITNESS, List.of(PolicyFixtures.tier("witness" + witnesses)), List.of()));
    awaitCut(before);
  }

  @Override
  public void close() {
    loop.close();
    worker.close();
    table.close();
    atOnce.close();
    inRounds.close();
    netlink.close();
  }
}
