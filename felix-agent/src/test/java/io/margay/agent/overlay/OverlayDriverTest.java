package io.margay.agent.overlay;

import static io.margay.agent.calc.Documents.document;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.agent.calc.Documents;
import io.margay.agent.calc.TunnelKnobs;
import io.margay.agent.loop.TestLoop;
import io.margay.datastore.Change;
import io.margay.datastore.KeyValue;
import io.margay.ipam.BlockOwners;
import io.margay.ipam.IpamKeys;
import io.margay.linux.LinuxException;
import io.margay.linux.route.RouteTable;
import io.margay.linux.route.Rtnetlink;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Packets of pods between real nodes' kernels.
@Tag("netns")
class OverlayDriverTest {

  private static final String ALWAYS =
      document("IPPool", "four", "{cidr: 10.65.0.0/16, vxlanMode: Always}")
          + document("IPPool", "six", "{cidr: 'fd00:65::/32', vxlanMode: Always}");
  private static final String CROSS_SUBNET = ALWAYS.replace("Always", "CrossSubnet");

  /// A block of four addresses, the second of which is node 3's.
  private static final String BORROWED =
      """
      {"cidr":"%s","affinity":"host:n2","allocations":[null,0,null,null],"unallocated":[0,2,3],
       "attributes":[{"handle_id":"a","secondary":{"node":"n3"}}],
       "sequenceNumber":1,"sequenceNumberForAllocation":{},"deleted":false}
      """;

  private static final String OWNED = "{\"affinity\":\"host:n1\",\"cidr\":\"%s\"}";

  private final TestLoop loop = new TestLoop("dataplane");
  private final List<Agent> agents = new ArrayList<>();
  private OverlayRack rack;
  private final List<String> fits = new ArrayList<>();
  private OptionalInt uplinkMtu = OptionalInt.of(1500);

  @TempDir private Path directory;

  /// What an agent has of the overlay, without the rest of it.
  private final class Agent implements AutoCloseable {
    private final int node;
    private final Rtnetlink netlink;
    private final RouteTable routes;
    private final OverlayDriver driver;

    Agent(int node) throws LinuxException {
      this.node = node;
      netlink = Rtnetlink.inNetns(rack.fd(node));
      routes = new RouteTable(netlink.routes(), _ -> false);
      routes.adopt();
      driver = new OverlayDriver(loop.loop(), netlink, _ -> uplinkMtu, 1500);
      driver.tellPodMtu((before, now) -> fits.add(before + " " + now));
    }

    void plan(OverlayPlan plan) {
      driver.setPlan(plan);
      loop.see(() -> true);
    }

    Optional<String> settle() {
      return loop.see(
          () -> {
            Optional<String> obstacle = driver.settle(routes);
            assertThat(routes.apply().pending()).isEmpty();
            return obstacle;
          });
    }

    /// What a resync of the agent does.
    Optional<String> resync() {
      return loop.see(
          () -> {
            driver.doubt();
            Optional<String> obstacle = driver.settle(routes);
            routes.adopt();
            assertThat(routes.apply().pending()).isEmpty();
            return obstacle;
          });
    }

    @Override
    public void close() {
      netlink.close();
    }
  }

  @BeforeEach
  void raise() throws Exception {
    rack = new OverlayRack();
    loop.loop().start(() -> {});
  }

  @AfterEach
  void tearDown() throws Exception {
    // The namespaces go, whatever a loop that failed has to say.
    try (OverlayRack _ = rack) {
      agents.forEach(Agent::close);
      loop.close();
    }
  }

  private static String node(int node) {
    return document(
        "Node",
        "n" + node,
        "{bgp: {ipv4Address: %s/24, ipv6Address: '%s/64'}, ipv4VXLANTunnelAddr: 10.65.%d.1, ipv6VXLANTunnelAddr: 'fd00:65:%d::1'}"
            .formatted(OverlayRack.machine4(node), OverlayRack.machine6(node), node, node));
  }

  private static OverlayPlan plan(int of, String pools, Set<Integer> nodes) {
    BlockOwners owners = new BlockOwners();
    for (int node : nodes) {
      for (String block : List.of("10.65." + node + ".0/29", "fd00:65:" + node + "::/125")) {
        owners.onChange(
            new Change.Put(
                new KeyValue(
                    IpamKeys.block(Prefix.parse(block)),
                    "{\"affinity\":\"host:n" + node + "\"}",
                    1)));
      }
    }
    String resources =
        nodes.stream().map(OverlayDriverTest::node).collect(Collectors.joining()) + pools;
    return OverlayPlanner.plan("n" + of, Documents.view(resources), owners, TunnelKnobs.DEFAULT);
  }

  private Agent agent(int node) throws LinuxException {
    Agent agent = new Agent(node);
    agents.add(agent);
    return agent;
  }

  private List<Agent> startAll(String pools) throws LinuxException {
    for (int node : List.of(1, 2, 3)) {
      Agent agent = agent(node);
      agent.plan(plan(node, pools, Set.of(1, 2, 3)));
      assertThat(agent.settle()).isEmpty();
    }
    return agents;
  }

  private void assertEveryPodReachesEveryOther() throws Exception {
    for (int from = 1; from <= 3; from++) {
      for (int to = 1; to <= 3; to++) {
        if (to == from) {
          continue;
        }
        assertThat(rack.pings("p" + from, OverlayRack.pod4(to))).as(from + " to " + to).isTrue();
        assertThat(rack.pings("p" + from, OverlayRack.pod6(to))).as(from + " to " + to).isTrue();
      }
    }
  }

  private boolean reaches(int from, int to) throws Exception {
    return rack.pings("p" + from, OverlayRack.pod4(to))
        && rack.pings("p" + from, OverlayRack.pod6(to));
  }

  private String wayTo(int from, int to) throws Exception {
    return rack.in("n" + from, "ip route get " + OverlayRack.pod4(to))
        + rack.in("n" + from, "ip route get " + OverlayRack.pod6(to));
  }

  @Test
  void pods_of_nodes_without_a_common_fabric_reach_each_other_and_the_nodes() throws Exception {
    assertThat(reaches(1, 3)).isFalse();
    startAll(ALWAYS);

    assertEveryPodReachesEveryOther();
    assertThat(wayTo(1, 2))
        .contains("via 10.65.2.1 dev vxlan.calico", "via fd00:65:2::1 dev vxlan-v6.calico");
    // A node itself reaches another's pods, under its tunnel address or the one it is known by.
    assertThat(rack.pings("n1", OverlayRack.pod4(3))).isTrue();
    assertThat(rack.pings("n1", OverlayRack.pod6(3))).isTrue();
    assertThat(rack.pings("n1", OverlayRack.pod4(3), "-I", OverlayRack.machine4(1))).isTrue();
  }

  @Test
  void a_route_of_the_fabric_around_a_pool_is_in_nobodys_way() throws Exception {
    rack.in("n1", "ip route add 10.0.0.0/8 via 192.0.2.254");
    rack.in("n1", "ip -6 route add fd00::/8 via 2001:db8:1::fe");
    startAll(ALWAYS);
    assertEveryPodReachesEveryOther();
  }

  @Test
  void a_tunnel_address_that_its_node_borrowed_is_reached() throws Exception {
    for (int node : List.of(1, 3)) {
      Agent agent = agent(node);
      // Node 3 has its tunnel address of node 2's block, which is no node's any more.
      BlockOwners owners = new BlockOwners();
      for (String[] block :
          new String[][] {
            {"10.65.3.0/30", BORROWED},
            {"fd00:65:3::/126", BORROWED},
            {"10.65.1.0/29", OWNED},
            {"fd00:65:1::/125", OWNED}
          }) {
        owners.onChange(
            new Change.Put(
                new KeyValue(
                    IpamKeys.block(Prefix.parse(block[0])), block[1].formatted(block[0]), 1)));
      }
      agent.plan(
          OverlayPlanner.plan(
              "n" + node, Documents.view(node(1) + node(3) + ALWAYS), owners, TunnelKnobs.DEFAULT));
      assertThat(agent.settle()).isEmpty();
    }
    assertThat(rack.pings("n1", "10.65.3.1")).isTrue();
    assertThat(rack.pings("n1", "fd00:65:3::1")).isTrue();
  }

  @Test
  void cross_subnet_wraps_between_subnets_only() throws Exception {
    startAll(CROSS_SUBNET);

    assertEveryPodReachesEveryOther();
    assertThat(wayTo(1, 2))
        .contains("via 192.0.2.2 dev up0", "via 2001:db8:1::2 dev up0")
        .doesNotContain("vxlan");
    assertThat(wayTo(1, 3))
        .contains("via 10.65.3.1 dev vxlan.calico", "via fd00:65:3::1 dev vxlan-v6.calico");
  }

  @Test
  void an_agent_that_starts_again_writes_nothing_and_loses_no_packet() throws Exception {
    startAll(CROSS_SUBNET);
    assertThat(reaches(1, 3)).isTrue();
    Path heard = directory.resolve("monitor");
    Process monitor = rack.start("n1", "ip monitor link address route neigh", heard);
    Process ping =
        rack.start("p1", "ping -i 0.005 -c 200 " + OverlayRack.pod4(3), directory.resolve("ping"));
    try {
      sayAndHear("203.0.113.1", heard);
      int before = Files.readString(heard).length();

      Agent again = agent(1);
      again.plan(plan(1, CROSS_SUBNET, Set.of(1, 2, 3)));
      assertThat(again.settle()).isEmpty();
      again.resync();

      sayAndHear("203.0.113.2", heard);
      assertThat(
              Files.readString(heard)
                  .substring(before)
                  .lines()
                  // The kernel's own resolving of the gateway between the machines.
                  .filter(line -> !line.contains("dev up0 lladdr")))
          .singleElement()
          .asString()
          .contains("203.0.113.2");
    } finally {
      monitor.destroy();
      monitor.waitFor();
      ping.waitFor();
    }
    assertThat(Files.readString(directory.resolve("ping")))
        .contains("200 received, 0% packet loss");
  }

  /// Makes a change of its own and waits until the monitor has told of it.
  private void sayAndHear(String address, Path heard) throws Exception {
    for (int i = 0; i < 200 && !Files.readString(heard).contains(address); i++) {
      rack.in("n1", "ip route replace blackhole " + address + "/32 metric " + (i + 1));
      rack.in("n1", "ip route show");
    }
    assertThat(Files.readString(heard)).contains(address);
  }

  @Test
  void a_node_that_comes_or_goes_changes_what_hangs_on_it_alone() throws Exception {
    startAll(ALWAYS);
    Agent first = agents.getFirst();
    first.plan(plan(1, ALWAYS, Set.of(1, 3)));
    assertThat(first.settle()).isEmpty();
    assertThat(reaches(1, 3)).isTrue();
    assertThat(reaches(1, 2)).isFalse();
    assertThat(rack.in("n1", "bridge fdb show dev vxlan.calico"))
        .contains("dst 198.51.100.3")
        .doesNotContain("192.0.2.2");
    assertThat(rack.in("n1", "ip neigh show dev vxlan-v6.calico nud permanent"))
        .contains("fd00:65:3::1")
        .doesNotContain("fd00:65:2::1");

    first.plan(plan(1, ALWAYS, Set.of(1, 2, 3)));
    assertThat(first.settle()).isEmpty();
    assertThat(reaches(1, 2)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "bridge fdb del MAC dev vxlan.calico dst 198.51.100.3 self",
        "bridge fdb replace MAC dev vxlan.calico dst 192.0.2.77 self permanent",
        "ip neigh del 10.65.3.1 dev vxlan.calico",
        "ip neigh replace 10.65.3.1 lladdr 02:00:00:00:00:01 dev vxlan.calico nud permanent",
        "ip addr del 10.65.1.1/32 dev vxlan.calico",
        "ip addr add 10.65.1.9/24 dev vxlan.calico",
        "ip link set vxlan.calico down",
        "ip link set vxlan.calico mtu 1280",
        "ip link set vxlan.calico address 02:00:00:00:00:09",
        "ip link set vxlan.calico type vxlan learning",
        "ip link del vxlan.calico",
        "ip route del 10.65.3.0/29",
      })
  void what_others_did_to_it_is_repaired(String tampering) throws Exception {
    startAll(ALWAYS);
    Agent first = agents.getFirst();
    String before = state();
    rack.in("n1", tampering.replace("MAC", TunnelMac.of("n3", IpFamily.IPV4).toString()));
    assertThat(state()).isNotEqualTo(before);

    assertThat(first.resync()).isEmpty();

    assertThat(state()).isEqualTo(before);
    assertThat(reaches(1, 3)).isTrue();
  }

  /// All that the overlay consists of on node 1, but for the numbers of devices.
  private String state() throws Exception {
    StringBuilder all = new StringBuilder();
    for (String command :
        List.of(
            "ip -d link show type vxlan",
            "ip addr show dev vxlan.calico scope global",
            "ip neigh show dev vxlan.calico nud permanent",
            "ip route show proto 117",
            "bridge fdb show dev vxlan.calico")) {
      try {
        all.append(
            rack.in("n1", command)
                .lines()
                .filter(line -> !line.contains("inet6 fe80"))
                .map(line -> line.replaceFirst("^[0-9]+: ", "").strip())
                .sorted()
                .collect(Collectors.joining("\n")));
      } catch (java.io.IOException gone) {
        all.append("no device");
      }
    }
    return all.toString();
  }

  @Test
  void a_device_of_somebody_else_is_left_alone_and_said() throws Exception {
    rack.in("n1", "ip link add vxlan.calico type bridge");
    rack.in("n1", "ip link add vxlan-v6.calico type vxlan id 7 dstport 4790 local 192.0.2.1");
    rack.in("n1", "ip link set vxlan-v6.calico alias theirs");
    String before = rack.in("n1", "ip -d link show");
    Agent first = agent(1);
    first.plan(plan(1, CROSS_SUBNET, Set.of(1, 2, 3)));

    assertThat(first.settle().orElseThrow())
        .contains("vxlan.calico is neither ours nor Calico's (kind bridge)", "alias \"theirs\"");

    assertThat(rack.in("n1", "ip -d link show")).isEqualTo(before);
    // What needs no wrapping goes on.
    assertThat(wayTo(1, 2)).contains("via 192.0.2.2 dev up0");
    first.plan(OverlayPlan.NONE);
    assertThat(first.settle()).isEmpty();
    assertThat(rack.in("n1", "ip -d link show")).isEqualTo(before);

    rack.in("n1", "ip link del vxlan.calico");
    rack.in("n1", "ip link del vxlan-v6.calico");
    first.plan(plan(1, CROSS_SUBNET, Set.of(1, 2, 3)));
    assertThat(first.settle()).isEmpty();
    assertThat(wayTo(1, 3)).contains("dev vxlan.calico");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "ip link add other type vxlan id 4096 dstport 4789 local 192.0.2.1",
        "ip link add other type vxlan external dstport 4789",
      })
  void a_port_that_somebody_else_has_is_said_and_taken_once_it_is_free(String theirs)
      throws Exception {
    rack.in("n1", theirs);
    rack.in("n1", "ip link set other up");
    Agent first = agent(1);
    first.plan(plan(1, ALWAYS, Set.of(1, 2, 3)));

    assertThat(first.settle().orElseThrow()).contains("VNI 4096 and port 4789", "vxlanPort");
    assertThat(rack.in("n1", "ip link show other")).contains("UP");

    rack.in("n1", "ip link del other");
    assertThat(first.resync()).isEmpty();
    assertThat(wayTo(1, 3)).contains("dev vxlan.calico");
  }

  @Test
  void calicos_device_becomes_ours_as_it_is_or_is_made_anew_where_it_differs() throws Exception {
    String mac = TunnelMac.of("n1", IpFamily.IPV4).toString();
    rack.in(
        "n1",
        "ip link add vxlan.calico address "
            + mac
            + " mtu 1450 type vxlan id 4096 dstport 4789 local 192.0.2.1 nolearning");
    String six = TunnelMac.of("n1", IpFamily.IPV6).toString();
    rack.in(
        "n1",
        "ip link add vxlan-v6.calico address "
            + six
            + " mtu 1430 type vxlan id 4096 dstport 4789 local 2001:db8:1::1 dev up0 nolearning");
    String four = index("vxlan.calico");
    String bound = index("vxlan-v6.calico");

    startAll(ALWAYS);

    assertThat(index("vxlan.calico")).isEqualTo(four);
    // It could leave by one link only.
    assertThat(index("vxlan-v6.calico")).isNotEqualTo(bound);
    assertThat(rack.in("n1", "ip -d link show type vxlan"))
        .contains("alias margay:overlay")
        .doesNotContain("dev up0");
    assertEveryPodReachesEveryOther();
  }

  private String index(String device) throws Exception {
    return rack.in("n1", "cat /sys/class/net/" + device + "/ifindex");
  }

  @Test
  void with_the_last_pool_the_device_goes_and_all_that_hung_on_it() throws Exception {
    startAll(ALWAYS);
    for (Agent agent : agents) {
      agent.plan(OverlayPlan.NONE);
      assertThat(agent.settle()).isEmpty();
      assertThat(rack.in("n" + agent.node, "ip link show")).doesNotContain("vxlan");
      assertThat(rack.in("n" + agent.node, "ip route show proto 117")).isEmpty();
    }
  }

  @Test
  void whole_packets_fit_and_a_link_that_changes_is_followed() throws Exception {
    List<Agent> all = startAll(ALWAYS);
    assertThat(IntStream.range(0, 3).map(i -> all.get(i).driver.podMtu())).containsOnly(1430);
    // 20 and 8 octets of headers of the ping's own.
    assertThat(rack.pings("p1", OverlayRack.pod4(3), "-M do -s " + (1450 - 28))).isTrue();

    assertThat(fits).containsOnly("1500 1430");

    uplinkMtu = OptionalInt.empty();
    assertThat(all.getFirst().resync()).isEmpty();
    assertThat(all.getFirst().driver.podMtu())
        .as("the address is gone for a moment")
        .isEqualTo(1430);

    uplinkMtu = OptionalInt.of(9000);
    for (Agent agent : all) {
      assertThat(agent.resync()).isEmpty();
      assertThat(agent.driver.podMtu()).isEqualTo(8930);
      assertThat(rack.in("n" + agent.node, "ip link show vxlan.calico")).contains("mtu 8950");
      assertThat(rack.in("n" + agent.node, "ip link show vxlan-v6.calico")).contains("mtu 8930");
    }
    uplinkMtu = OptionalInt.of(1280);
    assertThat(all.get(1).resync()).isEmpty();
    assertThat(rack.in("n2", "ip link show vxlan-v6.calico"))
        .as("IPv6's least")
        .contains("mtu 1280");
    uplinkMtu = OptionalInt.of(9000);
    TunnelKnobs knobs = new TunnelKnobs(4096, 4789, OptionalInt.of(1400), OptionalInt.empty());
    Agent first = all.getFirst();
    first.plan(
        OverlayPlanner.plan("n1", Documents.view(node(1) + ALWAYS), new BlockOwners(), knobs));
    assertThat(first.settle()).isEmpty();
    assertThat(rack.in("n1", "ip link show vxlan.calico")).contains("mtu 1400");
    assertThat(first.driver.podMtu()).isEqualTo(1400);
    assertThat(fits).contains("1430 8930", "8930 1400");
  }
}
