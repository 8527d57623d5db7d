package io.margay.agent.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.agent.firewall.FirewallManager;
import io.margay.agent.firewall.FirewallSettings;
import io.margay.agent.firewall.NatOutgoing;
import io.margay.agent.loop.TestLoop;
import io.margay.bgp.speaker.FibChange;
import io.margay.bgp.speaker.FibDelta;
import io.margay.bgp.speaker.FibNextHop;
import io.margay.linux.Errno;
import io.margay.linux.LinuxException;
import io.margay.linux.NetlinkException;
import io.margay.linux.nft.FakeNftables;
import io.margay.linux.nft.NftData;
import io.margay.linux.nft.NftException;
import io.margay.linux.nft.NftKernel;
import io.margay.linux.nft.NftOp;
import io.margay.linux.nft.NftTable;
import io.margay.linux.nft.NftTableName;
import io.margay.linux.route.NextHop;
import io.margay.linux.route.Route;
import io.margay.linux.route.RouteClass;
import io.margay.linux.route.RouteSpec;
import io.margay.linux.route.RouteTable;
import io.margay.linux.route.RouteType;
import io.margay.linux.route.Scope;
import io.margay.linux.testing.FakeRoutes;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.policy.EndpointKey;
import io.margay.policy.EndpointPolicy;
import io.margay.policy.HostEndpointKey;
import io.margay.policy.HostEndpointPolicy;
import io.margay.policy.HostInterface;
import io.margay.policy.PolicyUpdate;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class DataplaneTest {

  private static final Prefix BLOCK = Prefix.parse("10.65.0.0/26");
  private static final Prefix LEARNED = Prefix.parse("10.65.9.0/26");
  private static final Prefix LEARNED6 = Prefix.parse("fd00:65:9::/122");
  private static final IpAddress TOR = IpAddress.parse("172.16.0.0");
  private static final Route POD_A = RouteSpec.toDevice(11).toRoute(Prefix.parse("10.65.0.1/32"));
  private static final int UPLINK = 2;
  private static final NftTableName V4 = new NftTableName(IpFamily.IPV4, "margay");

  /// Some daemon that is not ours (RTPROT_STATIC).
  private static final int STRANGER = 4;

  private final TestLoop test = new TestLoop("dataplane");
  private final FakeNftables nft = new FakeNftables(false);
  private final FakeRoutes kernel = new FakeRoutes();
  private final Map<String, Integer> links = new HashMap<>(Map.of("cali1", 11, "cali2", 12));
  private final Set<String> unreadable = new HashSet<>();
  private final Set<String> unplugged = ConcurrentHashMap.newKeySet();
  private final Map<InterfaceName, Set<IpAddress>> addresses = new ConcurrentHashMap<>();
  private final RouteTable table = new RouteTable(kernel, index -> index > 10);
  private final Dataplane dataplane =
      new Dataplane(
          test.loop(),
          new FirewallManager(
              new NftTable(nft.open(), "margay", NftTable.Ownership.WHERE_PERSISTENT),
              FirewallSettings.DEFAULT),
          table,
          new Links(),
          () -> Map.copyOf(addresses),
          RouteWatcher.NONE);

  private final class Links implements LinkIndex {
    @Override
    public OptionalInt find(InterfaceName name) throws NetlinkException {
      if (unreadable.contains(name.value())) {
        throw new NetlinkException("get link", name.value(), Errno.EBUSY, "");
      }
      Integer index = links.get(name.value());
      return index == null ? OptionalInt.empty() : OptionalInt.of(index);
    }

    @Override
    public boolean hasCarrier(InterfaceName name) {
      return !unplugged.contains(name.value());
    }
  }

  @BeforeEach
  void start() {
    kernel.addDevice(UPLINK, Prefix.parse("172.16.0.0/31"), Prefix.parse("fd01::/127"));
    kernel.addDevice(11);
    kernel.addDevice(12);
  }

  /// What an earlier process left is adopted before the loop runs, as the agent does.
  private void run(Route... leftovers) throws Exception {
    Arrays.stream(leftovers).forEach(kernel::plant);
    table.adopt();
    test.loop().start(dataplane::settle);
  }

  private CompletableFuture<Void> begin() {
    CompletableFuture<Void> applied = new CompletableFuture<>();
    dataplane.begin(() -> applied.complete(null));
    return applied;
  }

  @AfterEach
  void close() {
    test.close();
  }

  private static EndpointKey key(String name) {
    return new EndpointKey("ns", name);
  }

  private static PolicyUpdate endpoint(String name, String link, String... addresses) {
    return new PolicyUpdate.EndpointUpdated(
        key(name),
        new EndpointPolicy(
            new InterfaceName(link),
            Arrays.stream(addresses).map(IpAddress::parse).toList(),
            List.of(),
            List.of(),
            List.of()));
  }

  private CompletableFuture<Void> handIn(String name, PolicyUpdate... updates) {
    CompletableFuture<Void> applied = new CompletableFuture<>();
    dataplane.onPolicy(List.of(updates), List.of(new Dataplane.HandIn(key(name), applied)));
    return applied;
  }

  private List<Route> routes() {
    return test.see(kernel::all);
  }

  private boolean isPoliced(String link) {
    return test.see(
        () ->
            nft.elements(new NftTableName(IpFamily.IPV4, "margay"), "from_wl").stream()
                .anyMatch(
                    element ->
                        element.key().equals(NftData.interfaceName(new InterfaceName(link)))));
  }

  private static Route learned(Prefix prefix, String gateway) {
    return RouteSpec.through(List.of(NextHop.via(IpAddress.parse(gateway), UPLINK)))
        .toRoute(prefix);
  }

  @Test
  void nothing_is_written_before_everything_desired_is_known() throws Exception {
    run();
    CompletableFuture<Void> waiting = handIn("a", endpoint("a", "cali1", "10.65.0.1"));
    dataplane.setBlocks(Set.of(BLOCK), _ -> {});
    dataplane.setNat(NatOutgoing.NONE);
    dataplane.onRoutes(
        new FibDelta(List.of(new FibChange.Install(LEARNED, List.of(new FibNextHop(TOR, null))))));
    assertThat(routes()).isEmpty();
    assertThat(test.see(nft::commits)).isZero();
    assertThat(waiting).isNotDone();
    assertThat(dataplane.status().problem()).isPresent();

    TestLoop.get(begin());
    TestLoop.get(waiting);
    assertThat(routes())
        .extracting(Route::prefix)
        .containsExactlyInAnyOrder(POD_A.prefix(), BLOCK, LEARNED);
    assertThat(test.see(nft::commits)).isEqualTo(1);
    assertThat(dataplane.status()).isEqualTo(new DataplaneStatus(1, Optional.empty()));
  }

  /// An ADD hands its endpoint over before the pod's end is up.
  @Test
  void routes_are_read_again_for_a_pod_whose_route_is_gone_but_not_for_one_without_carrier()
      throws Exception {
    run();
    TestLoop.get(begin());
    TestLoop.get(handIn("b", endpoint("b", "cali2", "10.65.0.2")));
    TestLoop.get(handIn("a", endpoint("a", "cali1", "10.65.0.1")));
    Prefix other = Prefix.parse("10.65.0.2/32");
    test.see(() -> kernel.tamper(other));
    test.see(
        () -> {
          kernel.loseCarrier(11);
          return unplugged.add("cali1");
        });
    TestLoop.get(handIn("a"));
    assertThat(routes()).as("nothing was read").extracting(Route::prefix).doesNotContain(other);

    test.see(
        () -> {
          kernel.gainCarrier(11);
          kernel.tamper(POD_A.prefix());
          return unplugged.remove("cali1");
        });
    TestLoop.get(handIn("a"));
    assertThat(routes()).extracting(Route::prefix).contains(other, POD_A.prefix());
  }

  @Test
  void a_peer_behind_a_gateway_has_its_route_whatever_peers_say_of_it() throws Exception {
    run();
    TestLoop.get(begin());
    Prefix peer = Prefix.parse("192.0.2.1/32");
    dataplane.setPeerRoutes(Map.of(IpAddress.parse("192.0.2.1"), TOR));
    assertThat(routes()).containsExactly(learned(peer, TOR.toString()));
    dataplane.onRoutes(new FibDelta(List.of(new FibChange.Withdraw(peer))));
    assertThat(routes()).containsExactly(learned(peer, TOR.toString()));
    dataplane.setPeerRoutes(Map.of());
    assertThat(routes()).isEmpty();
  }

  @Test
  void what_peers_say_of_a_peers_address_counts_when_it_needs_no_gateway_any_more()
      throws Exception {
    run();
    TestLoop.get(begin());
    IpAddress peer = IpAddress.parse("192.0.2.1");
    dataplane.setPeerRoutes(Map.of(peer, IpAddress.parse("172.16.0.1")));
    dataplane.onRoutes(
        new FibDelta(
            List.of(
                new FibChange.Install(peer.toHostPrefix(), List.of(new FibNextHop(TOR, null))))));
    assertThat(routes()).containsExactly(learned(peer.toHostPrefix(), "172.16.0.1"));
    dataplane.setPeerRoutes(Map.of());
    assertThat(routes()).containsExactly(learned(peer.toHostPrefix(), TOR.toString()));
    dataplane.setPeerRoutes(Map.of(peer, IpAddress.parse("172.16.0.1")));
    assertThat(routes()).containsExactly(learned(peer.toHostPrefix(), "172.16.0.1"));
    dataplane.onRoutes(new FibDelta(List.of(new FibChange.Withdraw(peer.toHostPrefix()))));
    dataplane.setPeerRoutes(Map.of());
    assertThat(routes()).isEmpty();
  }

  @Test
  void blackholes_are_there_when_it_is_said_so() throws Exception {
    run();
    begin();
    CompletableFuture<List<Route>> then = new CompletableFuture<>();
    dataplane.setBlocks(
        Set.of(BLOCK, Prefix.parse("fd00:65::/122")), _ -> then.complete(kernel.all()));
    assertThat(TestLoop.get(then))
        .extracting(Route::type)
        .containsExactly(RouteType.BLACKHOLE, RouteType.BLACKHOLE);
  }

  @Test
  void a_refused_blackhole_is_not_said_to_be_there_and_holds_up_no_other() throws Exception {
    Prefix other = Prefix.parse("10.65.1.0/26");
    Prefix single = Prefix.parse("10.65.2.7/32");
    run();
    kernel.plant(stranger(BLOCK));
    begin();
    BlockingQueue<Set<Prefix>> told = new LinkedBlockingQueue<>();
    dataplane.setBlocks(Set.of(BLOCK, other, single), told::add);
    test.see(() -> true);
    assertThat(told.poll()).isEqualTo(Set.of(other, single));
    test.run(() -> kernel.tamper(BLOCK));
    assertThat(told.poll(60, TimeUnit.SECONDS)).isEqualTo(Set.of(BLOCK, other, single));
    assertThat(routes()).contains(RouteSpec.blackhole().toRoute(BLOCK));
    test.run(() -> {});
    assertThat(told).as("nothing new, nothing told").isEmpty();
    dataplane.setBlocks(Set.of(other), told::add);
    assertThat(told.poll(60, TimeUnit.SECONDS)).isEqualTo(Set.of(other));
  }

  private static Route stranger(Prefix prefix) {
    return new Route(
        prefix,
        Route.MAIN_TABLE,
        STRANGER,
        RouteType.UNICAST,
        Scope.LINK,
        0,
        List.of(NextHop.onDevice(UPLINK)),
        Optional.empty());
  }

  @Test
  void blocks_given_back_lose_their_blackholes_and_single_addresses_never_have_one()
      throws Exception {
    run();
    begin();
    dataplane.setBlocks(Set.of(BLOCK, Prefix.parse("10.65.1.7/32")), _ -> {});
    assertThat(routes()).extracting(Route::prefix).containsExactly(BLOCK);
    dataplane.setBlocks(Set.of(), _ -> {});
    assertThat(routes()).isEmpty();
  }

  @Test
  void who_waits_for_a_refused_route_goes_on_waiting_until_the_kernel_takes_it() throws Exception {
    run();
    begin();
    links.put("cali3", 13);
    CompletableFuture<Void> refused = handIn("c", endpoint("c", "cali3", "10.65.0.3"));
    CompletableFuture<Void> taken = handIn("a", endpoint("a", "cali1", "10.65.0.1"));
    TestLoop.get(taken);
    assertThat(routes()).containsExactly(POD_A);
    assertThat(refused).isNotDone();
    assertThat(dataplane.status().problem())
        .hasValueSatisfying(p -> assertThat(p).contains("10.65.0.3"));
    test.run(() -> kernel.addDevice(13));
    TestLoop.get(refused);
    assertThat(routes()).hasSize(2);
    assertThat(test.await(dataplane::status, s -> s.problem().isEmpty()).pods()).isEqualTo(2);
  }

  @Test
  void who_waits_for_a_host_end_that_cannot_be_looked_up_goes_on_waiting() throws Exception {
    run();
    begin();
    unreadable.add("cali1");
    CompletableFuture<Void> waiting = handIn("a", endpoint("a", "cali1", "10.65.0.1"));
    assertThat(routes()).isEmpty();
    assertThat(waiting).isNotDone();
    test.run(() -> unreadable.clear());
    TestLoop.get(waiting);
    assertThat(routes()).containsExactly(POD_A);
  }

  @Test
  void an_endpoint_without_a_host_end_has_rules_and_no_route() throws Exception {
    run();
    begin();
    TestLoop.get(handIn("gone", endpoint("gone", "cali9", "10.65.0.9")));
    assertThat(routes()).isEmpty();
    assertThat(isPoliced("cali9")).isTrue();
  }

  @Test
  void another_plugins_wire_is_policed_and_its_routes_are_left_to_that_plugin() throws Exception {
    run();
    begin().get(20, TimeUnit.SECONDS);
    TestLoop.get(handIn("ptp", endpoint("ptp", "veth1234", "10.65.0.9")));
    assertThat(isPoliced("veth1234")).isTrue();
    assertThat(routes()).noneMatch(route -> route.prefix().equals(Prefix.parse("10.65.0.9/32")));
  }

  @Test
  void a_host_endpoint_follows_its_addresses_and_has_no_route() throws Exception {
    IpAddress own = IpAddress.parse("172.16.0.1");
    run();
    begin().get(20, TimeUnit.SECONDS);
    dataplane.onPolicy(
        List.of(
            new PolicyUpdate.HostEndpointUpdated(
                new HostEndpointKey("uplink"),
                new HostEndpointPolicy(
                    new HostInterface.Holding(Set.of(own)),
                    HostEndpointPolicy.Tiers.NONE,
                    List.of(),
                    HostEndpointPolicy.Tiers.NONE,
                    HostEndpointPolicy.Tiers.NONE,
                    List.of()))),
        List.of());
    assertThat(test.see(() -> nft.rules(V4, "host_in"))).isEmpty();
    addresses.put(new InterfaceName("eth0"), Set.of(own));
    test.await(() -> nft.rules(V4, "hi-eth0"), rules -> !rules.isEmpty());
    addresses.clear();
    test.await(() -> nft.rules(V4, "host_in"), List::isEmpty);
    assertThat(routes()).isEmpty();
  }

  @Test
  void an_endpoint_that_goes_takes_rules_and_route_along() throws Exception {
    run();
    begin();
    TestLoop.get(handIn("a", endpoint("a", "cali1", "10.65.0.1", "fd00:65::1")));
    assertThat(routes()).hasSize(2);
    assertThat(isPoliced("cali1")).isTrue();
    TestLoop.get(handIn("a", new PolicyUpdate.EndpointRemoved(key("a"))));
    assertThat(routes()).isEmpty();
    assertThat(isPoliced("cali1")).isFalse();
    assertThat(dataplane.status().pods()).isZero();
  }

  @Test
  void a_host_end_built_anew_is_routed_to_by_its_new_number() throws Exception {
    run();
    begin();
    TestLoop.get(handIn("a", endpoint("a", "cali1", "10.65.0.1")));
    test.run(
        () -> {
          kernel.removeDevice(11);
          kernel.addDevice(21);
          links.put("cali1", 21);
        });
    // The document is the same, so the calculation has nothing to say but that somebody waits.
    TestLoop.get(handIn("a"));
    assertThat(routes()).containsExactly(RouteSpec.toDevice(21).toRoute(POD_A.prefix()));
  }

  @Test
  void an_address_claimed_twice_falls_back_to_who_is_left() throws Exception {
    run();
    begin();
    TestLoop.get(handIn("a", endpoint("a", "cali1", "10.65.0.1")));
    TestLoop.get(handIn("b", endpoint("b", "cali2", "10.65.0.1")));
    assertThat(routes()).containsExactly(RouteSpec.toDevice(12).toRoute(POD_A.prefix()));
    TestLoop.get(handIn("b", new PolicyUpdate.EndpointRemoved(key("b"))));
    assertThat(routes()).containsExactly(POD_A);
  }

  @Test
  void an_address_claimed_twice_is_that_claimants_whose_host_end_is_there() throws Exception {
    run();
    begin();
    TestLoop.get(handIn("a", endpoint("a", "cali1", "10.65.0.1")));
    TestLoop.get(handIn("stale", endpoint("stale", "cali9", "10.65.0.1")));
    assertThat(routes()).containsExactly(POD_A);
    TestLoop.get(handIn("stale"));
    assertThat(routes()).as("looked up again").containsExactly(POD_A);
    test.run(() -> links.put("cali9", 12));
    TestLoop.get(handIn("stale"));
    test.run(() -> links.remove("cali9"));
    TestLoop.get(handIn("stale"));
    assertThat(routes()).as("its host end is gone again").containsExactly(POD_A);
    TestLoop.get(handIn("a", new PolicyUpdate.EndpointRemoved(key("a"))));
    assertThat(routes()).isEmpty();
  }

  @Test
  void leftover_pods_and_blocks_go_at_once_but_bgp_routes_wait_for_both_families()
      throws Exception {
    Route orphan = RouteSpec.toDevice(12).toRoute(Prefix.parse("10.65.0.2/32"));
    Route oldBlock = RouteSpec.blackhole().toRoute(Prefix.parse("10.65.4.0/26"));
    Route old4 = learned(LEARNED, "172.16.0.0");
    Route old6 = learned(LEARNED6, "fd01::");
    run(orphan, oldBlock, old4, old6);
    TestLoop.get(begin());
    assertThat(routes()).containsExactlyInAnyOrder(old4, old6);
    dataplane.onReadyToSweep(IpFamily.IPV4);
    assertThat(routes()).containsExactlyInAnyOrder(old4, old6);
    dataplane.onRoutes(
        new FibDelta(
            List.of(
                new FibChange.Install(
                    LEARNED6, List.of(new FibNextHop(IpAddress.parse("fd01::"), null))))));
    dataplane.onReadyToSweep(IpFamily.IPV6);
    assertThat(routes()).containsExactly(old6);
  }

  @Test
  void learned_routes_come_and_go() throws Exception {
    run();
    begin();
    dataplane.onRoutes(
        new FibDelta(List.of(new FibChange.Install(LEARNED, List.of(new FibNextHop(TOR, null))))));
    assertThat(routes()).containsExactly(learned(LEARNED, "172.16.0.0"));
    dataplane.onRoutes(new FibDelta(List.of(new FibChange.Withdraw(LEARNED))));
    assertThat(routes()).isEmpty();
  }

  @Test
  void a_learned_route_whose_interface_is_gone_is_no_route_and_no_harm() throws Exception {
    run();
    begin();
    FibNextHop gone = new FibNextHop(IpAddress.parse("fe80::1"), new InterfaceName("eth9"));
    dataplane.onRoutes(new FibDelta(List.of(new FibChange.Install(LEARNED6, List.of(gone)))));
    assertThat(routes()).isEmpty();
    FibNextHop other = new FibNextHop(IpAddress.parse("fd01::"), null);
    dataplane.onRoutes(
        new FibDelta(List.of(new FibChange.Install(LEARNED6, List.of(gone, other)))));
    assertThat(routes()).containsExactly(learned(LEARNED6, "fd01::"));
  }

  @Test
  void own_blocks_come_before_what_peers_say_of_them() throws Exception {
    run();
    begin();
    dataplane.onRoutes(
        new FibDelta(List.of(new FibChange.Install(BLOCK, List.of(new FibNextHop(TOR, null))))));
    dataplane.setBlocks(Set.of(BLOCK), _ -> {});
    assertThat(routes()).containsExactly(RouteSpec.blackhole().toRoute(BLOCK));
  }

  private static EndpointStatusListener into(List<String> told) {
    return new EndpointStatusListener() {
      @Override
      public void onStatus(EndpointKey endpoint, Status status) {
        told.add(endpoint.name() + " " + status);
      }

      @Override
      public void onGone(EndpointKey endpoint) {
        told.add(endpoint.name() + " gone");
      }

      @Override
      public void onHostStatus(HostEndpointKey endpoint, Status status) {
        told.add(endpoint.name() + " " + status);
      }

      @Override
      public void onHostGone(HostEndpointKey endpoint) {
        told.add(endpoint.name() + " gone");
      }
    };
  }

  private static PolicyUpdate host(String name, HostInterface where) {
    return new PolicyUpdate.HostEndpointUpdated(
        new HostEndpointKey(name),
        new HostEndpointPolicy(
            where,
            HostEndpointPolicy.Tiers.NONE,
            List.of(),
            HostEndpointPolicy.Tiers.NONE,
            HostEndpointPolicy.Tiers.NONE,
            List.of()));
  }

  @Test
  void each_host_endpoints_status_is_told_when_it_changes_and_only_then() throws Exception {
    List<String> told = new CopyOnWriteArrayList<>();
    dataplane.reportTo(into(told));
    run();
    begin().get(20, TimeUnit.SECONDS);
    dataplane.onPolicy(
        List.of(
            host("all", new HostInterface.All()),
            host("late", new HostInterface.Named(new InterfaceName("eth7"))),
            host("nowhere", new HostInterface.Holding(Set.of(IpAddress.parse("192.0.2.9"))))),
        List.of());
    assertThat(test.see(() -> List.copyOf(told)))
        .containsExactlyInAnyOrder("all UP", "late ERROR", "nowhere ERROR");
    // Noticed within a second, without a change of policy.
    test.see(() -> links.put("eth7", UPLINK));
    test.await(() -> List.copyOf(told), all -> all.contains("late UP"));
    dataplane.onPolicy(
        List.of(new PolicyUpdate.HostEndpointRemoved(new HostEndpointKey("all"))), List.of());
    assertThat(test.see(() -> List.copyOf(told))).hasSize(5).endsWith("all gone");
  }

  @Test
  void each_pods_status_is_told_when_it_changes_and_only_then() throws Exception {
    List<String> told = new CopyOnWriteArrayList<>();
    dataplane.reportTo(into(told));
    run();
    begin().get(20, TimeUnit.SECONDS);
    handIn("a", endpoint("a", "cali1", "10.65.0.1")).get(20, TimeUnit.SECONDS);
    handIn("late", endpoint("late", "cali9", "10.65.0.9")).get(20, TimeUnit.SECONDS);
    handIn("a", endpoint("a", "cali1", "10.65.0.1")).get(20, TimeUnit.SECONDS);
    assertThat(test.see(() -> List.copyOf(told))).containsExactly("a UP", "late DOWN");
    test.see(() -> links.put("cali9", 12));
    handIn("late", endpoint("late", "cali9", "10.65.0.9")).get(20, TimeUnit.SECONDS);
    test.see(() -> unreadable.add("cali2"));
    handIn("odd", endpoint("odd", "cali2", "10.65.0.3"));
    handIn("a", new PolicyUpdate.EndpointRemoved(key("a"))).get(20, TimeUnit.SECONDS);
    assertThat(test.see(() -> List.copyOf(told)))
        .containsSubsequence("late DOWN", "late UP", "odd ERROR")
        .contains("a gone");
  }

  @Test
  void a_foreign_write_to_our_rules_is_repaired_when_it_is_heard() throws Exception {
    run();
    begin();
    TestLoop.get(handIn("a", endpoint("a", "cali1", "10.65.0.1")));
    NftTableName name = new NftTableName(IpFamily.IPV4, "margay");
    int rules = test.see(() -> nft.rules(name, "egress")).size();
    NftKernel intruder = nft.open();
    // On the loop's own turn, so that the poll cannot come between.
    test.run(
        () -> {
          try {
            intruder.commit(List.of(new NftOp.DeleteTable(name)));
          } catch (NftException refused) {
            throw new IllegalStateException(refused);
          }
          assertThat(nft.rules(name, "egress")).isEmpty();
        });
    assertThat(test.see(() -> nft.rules(name, "egress"))).hasSize(rules);
    assertThat(isPoliced("cali1")).isTrue();
    assertThat(dataplane.status().problem()).isEmpty();
  }

  private List<String> inspected(String name) throws Exception {
    return dataplane.inspect(key(name)).get(20, TimeUnit.SECONDS);
  }

  @Test
  void an_inspection_reads_the_kernel_and_handing_in_again_repairs_what_it_found()
      throws Exception {
    run();
    TestLoop.get(begin());
    assertThat(inspected("a")).singleElement().asString().contains("no rules for");
    TestLoop.get(handIn("a", endpoint("a", "cali1", "10.65.0.1")));
    assertThat(inspected("a")).isEmpty();
    test.run(() -> kernel.tamper(POD_A.prefix()));
    assertThat(inspected("a")).singleElement().asString().contains(POD_A + " but none");
    assertThat(routes()).as("an inspection repairs nothing").isEmpty();
    TestLoop.get(handIn("a"));
    assertThat(routes()).containsExactly(POD_A);
    assertThat(inspected("a")).isEmpty();
  }

  /// A device that the kernel refuses so many times.
  private static final class StubbornOverlay implements Overlay {
    private int refusals = 3;

    @Override
    public Optional<String> settle(RouteTable routes) throws LinuxException {
      if (refusals > 0) {
        refusals--;
        throw new NetlinkException("create VXLAN device", "vxlan.calico", Errno.ENOMEM, "");
      }
      routes.setRoutes(
          RouteClass.TUNNEL,
          Map.of(LEARNED, RouteSpec.onlink(IpAddress.parse("10.65.9.1"), UPLINK)));
      return Optional.of("the port is taken");
    }

    @Override
    public boolean hasNews() {
      return false;
    }

    @Override
    public void doubt() {}
  }

  @Test
  void a_device_that_is_refused_holds_up_no_pod_and_is_tried_again() throws Exception {
    run();
    dataplane.wrapWith(new StubbornOverlay());
    TestLoop.get(begin());
    TestLoop.get(handIn("a", endpoint("a", "cali1", "10.65.0.1")));
    assertThat(routes()).contains(POD_A);
    test.await(kernel::all, all -> all.stream().anyMatch(route -> route.prefix().equals(LEARNED)));
    assertThat(test.see(dataplane::status).problem()).contains("the port is taken");

    // What peers say of the same prefix stands behind.
    dataplane.onRoutes(
        new FibDelta(List.of(new FibChange.Install(LEARNED, List.of(new FibNextHop(TOR, null))))));
    assertThat(routes())
        .filteredOn(route -> route.prefix().equals(LEARNED))
        .singleElement()
        .matches(route -> route.nextHops().getFirst().isOnlink());
  }

  /// A device that the kernel always refuses.
  private static final class RefusedOverlay implements Overlay {
    private int attempts;
    private boolean hasNews;

    @Override
    public Optional<String> settle(RouteTable routes) throws LinuxException {
      attempts++;
      hasNews = false;
      throw new NetlinkException("create VXLAN device", "vxlan.calico", Errno.ENOMEM, "");
    }

    @Override
    public boolean hasNews() {
      return hasNews;
    }

    @Override
    public void doubt() {}
  }

  @Test
  void what_is_refused_is_tried_again_after_pauses_and_at_once_for_a_wish() throws Exception {
    run();
    RefusedOverlay refused = new RefusedOverlay();
    dataplane.wrapWith(refused);
    TestLoop.get(begin());
    test.await(() -> refused.attempts, attempts -> attempts > 2);
    int before = test.see(() -> refused.attempts);
    for (int i = 0; i < 200; i++) {
      inspected("a");
    }
    dataplane.setNat(NatOutgoing.NONE);
    assertThat(test.see(() -> refused.attempts))
        .as("nothing of routes is wished")
        .isLessThan(before + 20);
    before = test.see(() -> refused.attempts);
    TestLoop.get(handIn("a", endpoint("a", "cali1", "10.65.0.1")));
    assertThat(test.see(() -> refused.attempts)).isGreaterThan(before);
    before = test.see(() -> refused.attempts);
    test.run(() -> refused.hasNews = true);
    assertThat(test.see(() -> refused.attempts)).isGreaterThan(before);
  }
}
