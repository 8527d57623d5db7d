package io.margay.agent.firewall;

import static io.margay.agent.firewall.FirewallNamespaces.v4;
import static io.margay.agent.firewall.FirewallNamespaces.v6;
import static io.margay.agent.firewall.HostFixtures.all;
import static io.margay.agent.firewall.HostFixtures.early;
import static io.margay.agent.firewall.HostFixtures.host;
import static io.margay.agent.firewall.PolicyFixtures.ANY;
import static io.margay.agent.firewall.PolicyFixtures.TCP;
import static io.margay.agent.firewall.PolicyFixtures.egress;
import static io.margay.agent.firewall.PolicyFixtures.endpoint;
import static io.margay.agent.firewall.PolicyFixtures.inSet;
import static io.margay.agent.firewall.PolicyFixtures.ingress;
import static io.margay.agent.firewall.PolicyFixtures.notInSet;
import static io.margay.agent.firewall.PolicyFixtures.policy;
import static io.margay.agent.firewall.PolicyFixtures.ports;
import static io.margay.agent.firewall.PolicyFixtures.profile;
import static io.margay.agent.firewall.PolicyFixtures.rule;
import static io.margay.agent.firewall.PolicyFixtures.set;
import static io.margay.agent.firewall.PolicyFixtures.tcp;
import static io.margay.agent.firewall.PolicyFixtures.tier;
import static io.margay.agent.firewall.PolicyFixtures.withHostPorts;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.agent.firewall.HostProtection.ToHostAction;
import io.margay.linux.conntrack.Conntrack;
import io.margay.linux.nft.NftFeatures;
import io.margay.linux.nft.NftOutcome;
import io.margay.linux.nft.NftTable;
import io.margay.linux.nft.NftTable.Ownership;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import io.margay.policy.HostInterface;
import io.margay.policy.HostPort;
import io.margay.policy.PolicyUpdate;
import io.margay.policy.RuleAction;
import io.margay.policy.RuleSet;
import java.net.InetAddress;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Host endpoints against real packets: between the node (namespace 0), its pod 1, and a machine
/// outside (namespace 2) beyond the node's interface `up0`.
@Tag("netns")
class HostEndpointPacketTest {

  private static final int NODE = 0;
  private static final int POD = 1;
  private static final int OUTSIDE = 2;

  private FirewallNamespaces lab;
  private NftTable table;
  private FirewallManager firewall;
  private List<InetAddress> node;
  private List<InetAddress> outside;

  @BeforeEach
  void raise() throws Exception {
    lab = new FirewallNamespaces(1);
    lab.addOutside();
    lab.in("o", "ip route add default via 192.0.2.1");
    lab.in("o", "ip -6 route add default via 2001:db8::1");
    lab.in("o", "ip link set lo up");
    node = addresses("192.0.2.1", "2001:db8::1");
    outside = addresses("192.0.2.2", "2001:db8::2");
    lab.listen(POD, 80);
    lab.listen(POD, 81);
    table = new NftTable(lab.nftables(features()), "margay", Ownership.WHERE_PERSISTENT);
    firewall = new FirewallManager(table, FirewallSettings.DEFAULT);
    apply(profile("open", RuleAction.ALLOW), endpoint(1, List.of(), List.of(), "open"));
  }

  NftFeatures features() {
    return NftFeatures.ALL;
  }

  private static List<InetAddress> addresses(String v4, String v6) throws Exception {
    return List.of(InetAddress.getByName(v4), InetAddress.getByName(v6));
  }

  @AfterEach
  void clean() throws Exception {
    table.close();
    lab.close();
  }

  private void apply(PolicyUpdate... updates) throws Exception {
    for (PolicyUpdate update : updates) {
      firewall.onUpdate(update);
    }
    assertThat(firewall.apply()).isNotInstanceOf(NftOutcome.Rebuilt.class);
  }

  private void listen(int where, List<InetAddress> addresses, int... ports) throws Exception {
    for (InetAddress address : addresses) {
      for (int port : ports) {
        lab.listenAt(where, address, port);
      }
    }
  }

  private void allowed(int from, List<InetAddress> to, int port) throws Exception {
    for (InetAddress address : to) {
      assertThat(lab.allowed(from, address, port))
          .as("%d to %s port %d passes", from, address, port)
          .isTrue();
    }
  }

  private void dropped(int from, List<InetAddress> to, int port) throws Exception {
    for (InetAddress address : to) {
      assertThat(lab.dropped(from, address, port))
          .as("%d to %s port %d is dropped", from, address, port)
          .isTrue();
    }
  }

  private static List<InetAddress> pod() throws Exception {
    return List.of(v4(1), v6(1));
  }

  @Test
  void an_endpoint_without_policy_closes_the_node_but_for_failsafes_and_what_it_forwards()
      throws Exception {
    listen(NODE, node, 22, 8080);
    listen(OUTSIDE, outside, 2379, 8080);
    allowed(OUTSIDE, node, 8080);

    apply(host("up0").update());

    dropped(OUTSIDE, node, 8080);
    dropped(NODE, outside, 8080);
    allowed(OUTSIDE, node, 22);
    allowed(NODE, outside, 2379);
    allowed(OUTSIDE, pod(), 80);
    allowed(POD, outside, 8080);
    allowed(NODE, pod(), 80);
    allowed(POD, node, 8080);
    allowed(NODE, node, 8080);

    apply(host("up0").removal());

    allowed(OUTSIDE, node, 8080);
    assertThat(lab.in("r", "nft list table ip margay")).doesNotContain("chain host_", "chain h");
  }

  @Test
  void normal_policy_opens_what_it_says_in_its_direction_only() throws Exception {
    listen(NODE, node, 8080, 8081);
    listen(OUTSIDE, outside, 9090, 9091);

    apply(
        ingress("in", tcp(0, RuleAction.ALLOW, ANY, ports(8080))),
        egress("out", tcp(0, RuleAction.ALLOW, ANY, ports(9090))),
        host("up0").withNormal(List.of(tier("in")), List.of(tier("out"))).update());

    allowed(OUTSIDE, node, 8080);
    dropped(OUTSIDE, node, 8081);
    allowed(NODE, outside, 9090);
    dropped(NODE, outside, 9091);
  }

  @Test
  void the_endpoint_of_all_interfaces_leaves_pods_loopback_and_named_endpoints_alone()
      throws Exception {
    listen(NODE, node, 8080);
    listen(OUTSIDE, outside, 8080);
    listen(NODE, addresses("127.0.0.1", "::1"), 8082);

    apply(all().update());

    dropped(OUTSIDE, node, 8080);
    dropped(NODE, outside, 8080);
    allowed(NODE, node, 8080);
    allowed(NODE, addresses("127.0.0.1", "::1"), 8082);
    allowed(NODE, pod(), 80);
    allowed(POD, node, 8080);
    allowed(OUTSIDE, pod(), 80);

    apply(host("up0").withProfiles("open").update());

    allowed(OUTSIDE, node, 8080);
    allowed(NODE, outside, 8080);
  }

  @Test
  void an_endpoint_is_found_by_the_addresses_of_its_interface() throws Exception {
    listen(NODE, node, 8080);
    IpAddress own = IpAddress.parse("192.0.2.1");
    apply(HostFixtures.at("by-address", new HostInterface.Holding(Set.of(own))).update());
    assertThat(firewall.needsHostAddresses()).isTrue();
    allowed(OUTSIDE, node, 8080);

    firewall.setHostAddresses(Map.of(new InterfaceName("up0"), Set.of(own)));
    apply();
    dropped(OUTSIDE, node, 8080);

    firewall.setHostAddresses(Map.of());
    apply();
    allowed(OUTSIDE, node, 8080);
  }

  @Test
  void forwarded_packets_are_judged_by_apply_on_forward_policies_alone() throws Exception {
    listen(OUTSIDE, outside, 8080, 8081);

    apply(
        ingress("in", tcp(0, RuleAction.ALLOW, ANY, ports(80))),
        egress("out", tcp(0, RuleAction.ALLOW, ANY, ports(8080))),
        host("up0").withForwarded(List.of(tier("in")), List.of(tier("out"))).update());

    allowed(OUTSIDE, pod(), 80);
    dropped(OUTSIDE, pod(), 81);
    allowed(POD, outside, 8080);
    dropped(POD, outside, 8081);

    apply(host("up0").withForwarded(List.of(), List.of(tier("out"))).update());

    allowed(OUTSIDE, pod(), 81);
    dropped(POD, outside, 8081);
  }

  @Test
  void a_workload_s_own_policy_still_counts_for_what_a_host_endpoint_lets_pass() throws Exception {
    apply(
        ingress("in", tcp(0, RuleAction.ALLOW, ANY, ANY)),
        ingress("web", tcp(0, RuleAction.ALLOW, ANY, ports(80))),
        endpoint(1, List.of(tier("web")), List.of(), "open"),
        host("up0").withForwarded(List.of(tier("in")), List.of()).update());

    allowed(OUTSIDE, pod(), 80);
    dropped(OUTSIDE, pod(), 81);
  }

  @Test
  void pre_dnat_policy_sees_the_packet_as_it_came() throws Exception {
    apply(withHostPorts(1, new HostPort(TCP, null, 30080, 80), new HostPort(TCP, null, 30081, 81)));
    allowed(OUTSIDE, node, 30080);

    apply(
        ingress(
            "nodeports",
            tcp(0, RuleAction.DENY, ANY, ports(30080)),
            tcp(1, RuleAction.DENY, ANY, ports(81))),
        host("up0").withPreDnat(early("nodeports")).update());

    dropped(OUTSIDE, node, 30080);
    allowed(OUTSIDE, node, 30081);
    dropped(OUTSIDE, pod(), 81);
    allowed(OUTSIDE, pod(), 80);
  }

  @Test
  void what_pre_dnat_policy_allows_skips_what_comes_after() throws Exception {
    listen(NODE, node, 8080, 8081);
    apply(withHostPorts(1, new HostPort(TCP, null, 30080, 80), new HostPort(TCP, null, 30081, 81)));

    apply(
        ingress("early", tcp(0, RuleAction.ALLOW, ANY, ports(30080, 8080))),
        ingress("closed", rule(0, RuleAction.DENY, ANY, ANY)),
        host("up0")
            .withPreDnat(early("early"))
            .withForwarded(List.of(tier("closed")), List.of())
            .update());

    allowed(OUTSIDE, node, 8080);
    dropped(OUTSIDE, node, 8081);
    allowed(OUTSIDE, node, 30080);
    dropped(OUTSIDE, node, 30081);
    dropped(OUTSIDE, pod(), 80);
  }

  /// Several tiers, the first of which denies: none of them has a say about a failsafe port,
  /// further on as little as before.
  @Test
  void a_failsafe_port_is_spared_what_pre_dnat_policy_says_and_not_what_forward_policy_says()
      throws Exception {
    firewall.setHostProtection(
        new HostProtection(
            ToHostAction.ACCEPT,
            List.of(new Failsafe(TCP, 30080, null), new Failsafe(TCP, 30081, null)),
            List.of()));
    apply(
        withHostPorts(
            1,
            new HostPort(TCP, null, 30080, 80),
            new HostPort(TCP, null, 30081, 81),
            new HostPort(TCP, null, 30082, 80)),
        ingress("early", tcp(0, RuleAction.DENY, ANY, ANY)),
        ingress("late", tcp(0, RuleAction.ALLOW, ANY, ANY)),
        ingress("web", tcp(0, RuleAction.ALLOW, ANY, ports(80))),
        host("up0")
            .withPreDnat(early("early"), tier("later", RuleAction.PASS, "late"))
            .withForwarded(List.of(tier("web")), List.of())
            .update());

    allowed(OUTSIDE, node, 30080);
    dropped(OUTSIDE, node, 30081);
    dropped(OUTSIDE, node, 30082);
  }

  @Test
  void what_came_is_remembered_by_its_connection_in_every_kind_of_match() throws Exception {
    int[] many = IntStream.rangeClosed(0, 20).map(n -> 30_000 + 2 * n).toArray();
    apply(
        withHostPorts(1, new HostPort(TCP, null, 30_004, 80), new HostPort(TCP, null, 30_005, 81)));
    apply(
        set("s:out", "192.0.2.2", "2001:db8::2", "198.51.100.0/24"),
        set("s:nobody", "198.51.100.0/24"),
        ingress(
            "early",
            tcp(0, RuleAction.LOG, ANY, ANY),
            tcp(1, RuleAction.DENY, inSet("s:nobody"), ANY),
            tcp(2, RuleAction.PASS, notInSet("s:out"), ANY),
            tcp(3, RuleAction.ALLOW, inSet("s:out"), ports(many))),
        ingress("closed", rule(0, RuleAction.DENY, ANY, ANY)),
        host("up0")
            .withPreDnat(early("early"))
            .withForwarded(List.of(tier("closed")), List.of())
            .update());

    allowed(OUTSIDE, node, 30_004);
    dropped(OUTSIDE, node, 30_005);
    dropped(OUTSIDE, pod(), 80);
  }

  @Test
  void untracked_policy_needs_both_directions_and_leaves_no_connection_behind() throws Exception {
    listen(NODE, node, 7000, 7001);
    PolicyUpdate in = ingress("in", tcp(0, RuleAction.ALLOW, ANY, ports(7000)));
    PolicyUpdate out = egress("out", tcp(0, RuleAction.ALLOW, ports(7000), ANY));

    apply(in, out, host("up0").withUntracked(List.of(early("in")), List.of()).update());
    dropped(OUTSIDE, node, 7000);

    apply(host("up0").withUntracked(List.of(early("in")), List.of(early("out"))).update());
    try (Conntrack conntrack = lab.conntrack()) {
      Set<IpAddress> peers = Set.of(IpAddress.parse("192.0.2.2"), IpAddress.parse("2001:db8::2"));
      conntrack.deleteFlows(peers);
      for (InetAddress address : node) {
        lab.open(OUTSIDE, address, 7000);
      }
      assertThat(conntrack.deleteFlows(peers)).as("tracked connections").isZero();
    }
    dropped(OUTSIDE, node, 7001);
  }

  @Test
  void an_untracked_deny_drops_before_all_else_but_failsafes_and_neighbour_discovery()
      throws Exception {
    listen(NODE, node, 22, 8080);
    listen(OUTSIDE, outside, 2379);
    apply(
        new PolicyUpdate.PolicyUpdated(
            policy("closed"),
            new RuleSet(
                List.of(rule(0, RuleAction.DENY, ANY, ANY)),
                List.of(rule(0, RuleAction.DENY, ANY, ANY)))),
        host("up0")
            .withUntracked(List.of(early("closed")), List.of(early("closed")))
            .withProfiles("open")
            .update());
    lab.in("r", "ip neigh flush dev up0");
    lab.in("o", "ip neigh flush dev eth0");

    dropped(OUTSIDE, node, 8080);
    dropped(OUTSIDE, pod(), 80);
    allowed(OUTSIDE, node, 22);
    allowed(NODE, outside, 2379);
  }

  @Test
  void failsafes_are_those_that_are_configured_and_for_their_net() throws Exception {
    listen(NODE, node, 22, 2222);
    listen(OUTSIDE, outside, 2379, 12379);
    firewall.setHostProtection(
        new HostProtection(
            ToHostAction.ACCEPT,
            List.of(
                new Failsafe(TCP, 2222, null),
                new Failsafe(TCP, 2222, Prefix.parse("192.0.2.0/24"))),
            List.of(
                new Failsafe(TCP, 12379, Prefix.parse("192.0.2.2/32")),
                new Failsafe(TCP, 12379, Prefix.parse("2001:db8:1::/48")))));
    apply(host("up0").update());

    allowed(OUTSIDE, node, 2222);
    dropped(OUTSIDE, node, 22);
    allowed(NODE, outside.subList(0, 1), 12379);
    dropped(NODE, outside.subList(1, 2), 12379);
    dropped(NODE, outside, 2379);

    firewall.setHostProtection(new HostProtection(ToHostAction.ACCEPT, List.of(), List.of()));
    apply();
    dropped(OUTSIDE, node, 2222);
  }

  @Test
  void pods_reach_the_node_unless_it_says_no_and_the_node_always_reaches_them() throws Exception {
    listen(NODE, node, 22, 8080);
    allowed(POD, node, 8080);
    firewall.setHostProtection(
        new HostProtection(
            ToHostAction.DROP, HostProtection.DEFAULT_INBOUND, HostProtection.DEFAULT_OUTBOUND));
    apply();
    lab.in("r", "ip neigh flush dev cali1");

    dropped(POD, node, 8080);
    dropped(POD, node, 22);
    allowed(NODE, pod(), 80);
    allowed(OUTSIDE, node, 8080);
    allowed(OUTSIDE, pod(), 80);

    apply(all().withProfiles("open").update());
    dropped(POD, node, 8080);
    allowed(OUTSIDE, node, 8080);

    firewall.setHostProtection(HostProtection.DEFAULT);
    apply(all().removal());
    allowed(POD, node, 8080);
    assertThat(lab.in("r", "nft list table ip margay")).doesNotContain("chain host_");
  }

  @Test
  void a_translated_packet_of_the_node_is_judged_by_where_it_really_goes() throws Exception {
    listen(OUTSIDE, outside.subList(0, 1), 8080, 8081);
    // By its route the untranslated packet would leave to the pod, where no host endpoint is.
    lab.in("r", "ip route add 198.51.100.1/32 dev cali1");
    lab.in("r", "nft add table ip lb");
    lab.in("r", "nft add chain ip lb out { type nat hook output priority -100 ; }");
    lab.in("r", "nft add rule ip lb out tcp dport 80 ip daddr 198.51.100.1 dnat to 192.0.2.2:8080");
    lab.in("r", "nft add rule ip lb out tcp dport 81 ip daddr 198.51.100.1 dnat to 192.0.2.2:8081");
    lab.in("r", "nft add chain ip lb back { type nat hook postrouting priority 100 ; }");
    lab.in("r", "nft add rule ip lb back oifname up0 masquerade");
    List<InetAddress> service = List.of(InetAddress.getByName("198.51.100.1"));
    allowed(NODE, service, 80);

    apply(
        egress("out", tcp(0, RuleAction.ALLOW, ANY, ports(8080))),
        host("up0").withNormal(List.of(), List.of(tier("out"))).update());

    allowed(NODE, service, 80);
    dropped(NODE, service, 81);
  }
}
