package io.margay.agent.firewall;

import static io.margay.agent.firewall.FirewallNamespaces.v4;
import static io.margay.agent.firewall.FirewallNamespaces.v6;
import static io.margay.agent.firewall.PolicyFixtures.ANY;
import static io.margay.agent.firewall.PolicyFixtures.change;
import static io.margay.agent.firewall.PolicyFixtures.egress;
import static io.margay.agent.firewall.PolicyFixtures.endpoint;
import static io.margay.agent.firewall.PolicyFixtures.inSet;
import static io.margay.agent.firewall.PolicyFixtures.ingress;
import static io.margay.agent.firewall.PolicyFixtures.key;
import static io.margay.agent.firewall.PolicyFixtures.members;
import static io.margay.agent.firewall.PolicyFixtures.namedPort;
import static io.margay.agent.firewall.PolicyFixtures.nets;
import static io.margay.agent.firewall.PolicyFixtures.notInSet;
import static io.margay.agent.firewall.PolicyFixtures.ports;
import static io.margay.agent.firewall.PolicyFixtures.profile;
import static io.margay.agent.firewall.PolicyFixtures.rule;
import static io.margay.agent.firewall.PolicyFixtures.set;
import static io.margay.agent.firewall.PolicyFixtures.tcp;
import static io.margay.agent.firewall.PolicyFixtures.tier;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.linux.nft.NftFeatures;
import io.margay.linux.nft.NftOutcome;
import io.margay.linux.nft.NftTable;
import io.margay.linux.nft.NftTable.Ownership;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Ipv4Address;
import io.margay.model.net.Prefix;
import io.margay.model.resource.Port;
import io.margay.policy.PeerMatch;
import io.margay.policy.PolicyKey;
import io.margay.policy.PolicyUpdate;
import io.margay.policy.RuleAction;
import io.margay.policy.RuleSet;
import io.margay.policy.SetId;
import io.margay.policy.SetKind;
import io.margay.policy.SetMember;
import io.margay.policy.TierPolicies;
import java.net.InetAddress;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Policies against real packets between pods.
@Tag("netns")
class FirewallPacketTest {

  private FirewallNamespaces lab;
  private NftTable table;
  private FirewallManager firewall;

  @BeforeEach
  void raise() throws Exception {
    lab = new FirewallNamespaces(3);
    lab.listen(1, 80);
    lab.listen(1, 443);
    table = new NftTable(lab.nftables(features()), "margay", Ownership.WHERE_PERSISTENT);
    firewall = new FirewallManager(table, FirewallSettings.DEFAULT);
  }

  NftFeatures features() {
    return NftFeatures.ALL;
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

  /// Pod 1 under the given policies, pods 2 and 3 free.
  private void applyToPodOne(List<String> policies, PolicyUpdate... updates) throws Exception {
    List<PolicyUpdate> all = new ArrayList<>(List.of(updates));
    all.add(profile("open", RuleAction.ALLOW));
    all.add(endpoint(1, List.of(tier(policies.toArray(String[]::new))), List.of(), "open"));
    all.add(endpoint(2, List.of(), List.of(), "open"));
    all.add(endpoint(3, List.of(), List.of(), "open"));
    apply(all.toArray(PolicyUpdate[]::new));
  }

  @Test
  void an_open_profile_allows_and_its_absence_closes() throws Exception {
    apply(
        profile("open", RuleAction.ALLOW),
        endpoint(1, List.of(), List.of(), "open"),
        endpoint(2, List.of(), List.of(), "open"),
        endpoint(3, List.of(), List.of(), "missing"));
    for (InetAddress pod : List.of(v4(1), v6(1))) {
      assertThat(lab.allowed(2, pod, 80)).isTrue();
      assertThat(lab.dropped(3, pod, 80)).isTrue();
    }
  }

  @Test
  void a_staged_policy_counts_what_it_would_deny_and_denies_nothing() throws Exception {
    PolicyKey staged = new PolicyKey("StagedNetworkPolicy", "ns", "trial");
    TierPolicies onTrial = new TierPolicies("early", RuleAction.PASS, List.of(staged));
    apply(
        profile("open", RuleAction.ALLOW),
        new PolicyUpdate.PolicyUpdated(
            staged,
            new RuleSet(
                List.of(
                    tcp(0, RuleAction.ALLOW, ANY, ports(443)), rule(1, RuleAction.DENY, ANY, ANY)),
                List.of())),
        ingress("web", tcp(0, RuleAction.ALLOW, ANY, ports(80, 443))),
        endpoint(1, List.of(onTrial, tier("web")), List.of(), "open"),
        endpoint(2, List.of(), List.of(), "open"));
    for (InetAddress pod : List.of(v4(1), v6(1))) {
      assertThat(lab.allowed(2, pod, 80)).isTrue();
      assertThat(lab.allowed(2, pod, 80)).isTrue();
      assertThat(lab.allowed(2, pod, 443)).isTrue();
    }
    String chain = Layout.policyChain(staged, Direction.INGRESS);
    for (String family : List.of("ip", "ip6")) {
      assertThat(lab.in("r", "nft list chain " + family + " margay " + chain))
          .containsPattern(
              "counter packets 1 .* return comment \"staged.ns/trial.ingress.0.allow\"")
          .containsPattern(
              "counter packets 2 .* return comment \"staged.ns/trial.ingress.1.deny\"");
    }
  }

  @Test
  void an_interface_without_endpoint_is_closed_both_ways() throws Exception {
    apply(profile("open", RuleAction.ALLOW), endpoint(1, List.of(), List.of(), "open"));
    lab.listen(2, 80);
    for (InetAddress pod : List.of(v4(1), v6(1))) {
      assertThat(lab.dropped(2, pod, 80)).isTrue();
    }
    assertThat(lab.dropped(1, v4(2), 80)).isTrue();
    assertThat(lab.dropped(1, v6(2), 80)).isTrue();
    apply(endpoint(2, List.of(), List.of(), "open"));
    assertThat(lab.allowed(2, v4(1), 80)).isTrue();
    assertThat(lab.allowed(1, v6(2), 80)).isTrue();
    apply(new PolicyUpdate.EndpointRemoved(key(1)));
    assertThat(lab.dropped(2, v4(1), 80)).isTrue();
  }

  @Test
  void a_closed_pod_reaches_itself() throws Exception {
    apply(endpoint(1, List.of(), List.of()));
    assertThat(lab.dropped(2, v4(1), 80)).isTrue();
    assertThat(lab.allowed(1, v4(1), 80)).isTrue();
    assertThat(lab.allowed(1, v6(1), 80)).isTrue();
  }

  @Test
  void default_deny_drops_and_a_set_opens_one_port() throws Exception {
    applyToPodOne(List.of("deny"), ingress("deny"));
    assertThat(lab.dropped(2, v4(1), 80)).isTrue();
    assertThat(lab.dropped(2, v6(1), 80)).isTrue();

    applyToPodOne(
        List.of("allow"),
        set("s:two", "10.65.0.2", "fd00:65::2"),
        ingress("allow", tcp(0, RuleAction.ALLOW, inSet("s:two"), ports(80))));
    for (InetAddress pod : List.of(v4(1), v6(1))) {
      assertThat(lab.allowed(2, pod, 80)).isTrue();
      assertThat(lab.dropped(2, pod, 443)).isTrue();
      assertThat(lab.dropped(3, pod, 80)).isTrue();
    }
    // The node itself always reaches its pods.
    assertThat(lab.allowed(0, v4(1), 443)).isTrue();
  }

  @Test
  void a_net_allows_except_where_it_excepts() throws Exception {
    applyToPodOne(
        List.of("nets"),
        ingress(
            "nets",
            rule(
                0,
                RuleAction.ALLOW,
                nets(
                    List.of("10.65.0.0/24", "fd00:65::/64"),
                    List.of("10.65.0.3/32", "fd00:65::3/128")),
                ANY)));
    for (InetAddress pod : List.of(v4(1), v6(1))) {
      assertThat(lab.allowed(2, pod, 80)).isTrue();
      assertThat(lab.dropped(3, pod, 80)).isTrue();
    }
  }

  @Test
  void a_network_sets_prefixes_are_matched_and_may_cover_everything() throws Exception {
    applyToPodOne(
        List.of("set"),
        set("s:net", "10.65.0.2/31", "192.0.2.1"),
        ingress("set", rule(0, RuleAction.ALLOW, inSet("s:net"), ANY)));
    assertThat(lab.allowed(2, v4(1), 80)).isTrue();
    assertThat(lab.dropped(2, v6(1), 80)).isTrue();
    apply(change("s:net", members("0.0.0.0/0", "::/0"), members()));
    assertThat(lab.allowed(3, v4(1), 80)).isTrue();
    assertThat(lab.allowed(3, v6(1), 80)).isTrue();
    apply(change("s:net", members("10.65.0.3"), members("0.0.0.0/0", "::/0", "10.65.0.2/31")));
    assertThat(lab.dropped(2, v4(1), 80)).isTrue();
    assertThat(lab.allowed(3, v4(1), 80)).isTrue();
  }

  @Test
  void not_a_member_means_everybody_else() throws Exception {
    applyToPodOne(
        List.of("not"),
        set("s:three", "10.65.0.3", "fd00:65::3"),
        ingress("not", rule(0, RuleAction.ALLOW, notInSet("s:three"), ANY)));
    assertThat(lab.allowed(2, v4(1), 80)).isTrue();
    assertThat(lab.dropped(3, v4(1), 80)).isTrue();
    assertThat(lab.dropped(3, v6(1), 80)).isTrue();
  }

  @Test
  void named_ports_are_those_of_the_destination() throws Exception {
    Set<SetMember> http =
        Set.of(
            new SetMember.NamedPort(IpAddress.parse("10.65.0.1"), 6, 80),
            new SetMember.NamedPort(IpAddress.parse("fd00:65::1"), 6, 443));
    applyToPodOne(
        List.of("named"),
        new PolicyUpdate.SetUpdated(new SetId("n:http"), SetKind.NAMED_PORTS, http),
        ingress("named", tcp(0, RuleAction.ALLOW, ANY, namedPort("n:http"))));
    assertThat(lab.allowed(2, v4(1), 80)).isTrue();
    assertThat(lab.dropped(2, v4(1), 443)).isTrue();
    assertThat(lab.allowed(2, v6(1), 443)).isTrue();
    assertThat(lab.dropped(2, v6(1), 80)).isTrue();
  }

  @Test
  void a_services_endpoints_are_reached_at_its_ports_though_the_rule_names_no_protocol()
      throws Exception {
    Set<SetMember> service =
        Set.of(
            new SetMember.NamedPort(IpAddress.parse("10.65.0.1"), 6, 80),
            new SetMember.NamedPort(IpAddress.parse("fd00:65::1"), 6, 443),
            new SetMember.NamedPort(IpAddress.parse("10.65.0.1"), 17, 443));
    applyToPodOne(
        List.of("service"),
        new PolicyUpdate.SetUpdated(new SetId("svc:db"), SetKind.NAMED_PORTS, service),
        ingress("service", rule(0, RuleAction.ALLOW, ANY, namedPort("svc:db"))));
    assertThat(lab.allowed(2, v4(1), 80)).isTrue();
    assertThat(lab.dropped(2, v4(1), 443)).isTrue();
    assertThat(lab.allowed(2, v6(1), 443)).isTrue();
    assertThat(lab.dropped(2, v6(1), 80)).isTrue();
  }

  @Test
  void long_lists_work_as_short_ones() throws Exception {
    int[] many = new int[40];
    for (int i = 0; i < many.length; i++) {
      many[i] = 1000 + 2 * i;
    }
    many[7] = 443;
    List<String> far = new ArrayList<>(List.of("10.65.0.2/32", "fd00:65::2/128"));
    for (int i = 0; i < 40; i++) {
      far.add("192.0." + i + ".0/24");
      far.add("2001:db8:" + Integer.toHexString(i) + "::/48");
    }
    applyToPodOne(
        List.of("long"),
        ingress("long", tcp(0, RuleAction.ALLOW, nets(far, List.of()), ports(many))));
    for (InetAddress pod : List.of(v4(1), v6(1))) {
      assertThat(lab.allowed(2, pod, 443)).isTrue();
      assertThat(lab.dropped(2, pod, 80)).isTrue();
      assertThat(lab.dropped(3, pod, 443)).isTrue();
    }
  }

  @Test
  void many_policies_work_as_few() throws Exception {
    String[] policies = new String[100];
    List<PolicyUpdate> updates = new ArrayList<>();
    updates.add(set("s:two", v4(2).getHostAddress(), v6(2).getHostAddress()));
    for (int i = 0; i < policies.length; i++) {
      policies[i] = "p" + i;
      // Pod 2 to port 80 by a set, pod 3 to port 443 by a net, everything else to nobody here.
      PeerMatch who =
          switch (i) {
            case 57 -> inSet("s:two");
            case 58 ->
                nets(
                    List.of(v4(3).getHostAddress() + "/32", v6(3).getHostAddress() + "/128"),
                    List.of());
            default -> nets(List.of("10.9." + i + ".0/24", "fd00:9:" + i + "::/64"), List.of());
          };
      updates.add(ingress(policies[i], tcp(0, RuleAction.ALLOW, who, ports(i == 58 ? 443 : 80))));
    }
    applyToPodOne(List.of(policies), updates.toArray(PolicyUpdate[]::new));
    for (InetAddress pod : List.of(v4(1), v6(1))) {
      assertThat(lab.allowed(2, pod, 80)).isTrue();
      assertThat(lab.dropped(2, pod, 443)).isTrue();
      assertThat(lab.dropped(3, pod, 80)).isTrue();
      assertThat(lab.allowed(3, pod, 443)).isTrue();
    }
  }

  @Test
  void pass_goes_on_with_the_next_tier_and_a_tiers_end_denies() throws Exception {
    apply(
        profile("open", RuleAction.ALLOW),
        set("s:two", "10.65.0.2"),
        ingress(
            "first",
            tcp(0, RuleAction.PASS, inSet("s:two"), ANY),
            tcp(1, RuleAction.DENY, ANY, ports(80))),
        ingress("second", tcp(0, RuleAction.ALLOW, ANY, ports(80))),
        endpoint(
            1,
            List.of(
                tier("security", RuleAction.PASS, "first"),
                tier("default", RuleAction.DENY, "second")),
            List.of(),
            "open"),
        endpoint(2, List.of(), List.of(), "open"),
        endpoint(3, List.of(), List.of(), "open"));
    assertThat(lab.allowed(2, v4(1), 80)).isTrue();
    assertThat(lab.dropped(3, v4(1), 80)).isTrue();
    assertThat(lab.dropped(2, v4(1), 443)).isTrue();
  }

  @Test
  void egress_policy_holds_towards_pods_and_towards_the_node() throws Exception {
    lab.listen(0, 8080);
    InetAddress node = InetAddress.getByName("10.99.0.1");
    apply(
        profile("open", RuleAction.ALLOW),
        egress("out", tcp(0, RuleAction.ALLOW, ANY, ports(80))),
        endpoint(1, List.of(), List.of(), "open"),
        endpoint(2, List.of(), List.of(tier("out")), "open"),
        endpoint(3, List.of(), List.of(), "open"));
    assertThat(lab.allowed(2, v4(1), 80)).isTrue();
    assertThat(lab.dropped(2, v4(1), 443)).isTrue();
    assertThat(lab.dropped(2, node, 8080)).isTrue();
    assertThat(lab.allowed(3, node, 8080)).isTrue();
  }

  @Test
  void a_spoofed_source_is_dropped() throws Exception {
    applyToPodOne(List.of("any"), ingress("any", rule(0, RuleAction.ALLOW, ANY, ANY)));
    lab.in("p2", "ip addr add 10.65.0.99/32 dev eth0");
    lab.in("p2", "ip addr add fd00:65::99/128 dev eth0 nodad");
    lab.in("r", "ip route add 10.65.0.99 dev cali2");
    lab.in("r", "ip -6 route add fd00:65::99 dev cali2");
    assertThat(lab.allowed(2, v4(1), 80)).isTrue();
    assertThat(lab.dropped(2, v4(99), v4(1), 80)).isTrue();
    assertThat(lab.dropped(2, v6(99), v6(1), 80)).isTrue();
    assertThat(lab.in("r", "nft list chain ip margay spoof"))
        .containsPattern("counter packets [1-9][0-9]* bytes [0-9]+ drop comment \"spoof");
  }

  @Test
  void established_flows_survive_an_element_change_and_an_agents_restart() throws Exception {
    applyToPodOne(
        List.of("allow"),
        set("s:two", "10.65.0.2"),
        ingress("allow", tcp(0, RuleAction.ALLOW, inSet("s:two"), ports(80))));
    SocketChannel client = lab.open(2, v4(1), 80);
    SocketChannel server = lab.accept(0);
    assertThat(FirewallNamespaces.echoes(client, server)).isTrue();

    apply(change("s:two", members("10.65.0.3"), members()));
    assertThat(FirewallNamespaces.echoes(server, client)).isTrue();
    assertThat(lab.allowed(3, v4(1), 80)).isTrue();
    table.close();
    assertThat(lab.dropped(3, v4(1), 443)).isTrue();
    assertThat(FirewallNamespaces.echoes(client, server)).isTrue();

    table = new NftTable(lab.nftables(features()), "margay", Ownership.WHERE_PERSISTENT);
    firewall = new FirewallManager(table, FirewallSettings.DEFAULT);
    applyToPodOne(
        List.of("allow"),
        set("s:two", "10.65.0.2", "10.65.0.3"),
        ingress("allow", tcp(0, RuleAction.ALLOW, inSet("s:two"), ports(80))));
    assertThat(FirewallNamespaces.echoes(server, client)).isTrue();
    assertThat(firewall.resync()).isEqualTo(new NftOutcome.Unchanged());
  }

  @Test
  void what_leaves_the_pools_is_masqueraded() throws Exception {
    // Pod 3 plays the world outside: it is in no pool.
    lab.listen(3, 80);
    lab.in("r", "ip addr add 10.77.0.1/32 dev cali3");
    firewall.setNatOutgoing(
        new NatOutgoing(
            Set.of(Prefix.parse("10.65.0.2/32")),
            Set.of(Prefix.parse("10.65.0.1/32"), Prefix.parse("10.65.0.2/32"))));
    applyToPodOne(List.of("any"), ingress("any", rule(0, RuleAction.ALLOW, ANY, ANY)));
    lab.open(2, v4(3), 80);
    assertThat(lab.accept(4).getRemoteAddress().toString()).startsWith("/10.77.0.1:");
    lab.open(2, v4(1), 80);
    assertThat(lab.accept(0).getRemoteAddress().toString()).startsWith("/10.65.0.2:");
    firewall.setNatOutgoing(NatOutgoing.NONE);
    apply();
    assertThat(lab.in("r", "nft list table ip margay")).doesNotContain("masquerade");
  }

  @Test
  void what_leaves_the_pools_does_so_from_the_address_and_the_ports_that_are_set()
      throws Exception {
    lab.listen(3, 80);
    lab.in("r", "ip addr add 10.77.0.1/32 dev cali3");
    lab.in("r", "ip addr add 10.77.0.2/32 dev lo");
    Set<Prefix> two = Set.of(Prefix.parse("10.65.0.2/32"), Prefix.parse("fd00:65::2/128"));
    Port.Range ports = new Port.Range(20_000, 20_001);
    applyToPodOne(List.of("any"), ingress("any", rule(0, RuleAction.ALLOW, ANY, ANY)));

    firewall.setNatOutgoing(new NatOutgoing(two, two, null, ports));
    apply();
    lab.open(2, v4(3), 80);
    assertThat(peer(4)).matches("/10\\.77\\.0\\.1:2000[01]");

    firewall.setNatOutgoing(new NatOutgoing(two, two, Ipv4Address.parse("10.77.0.2"), ports));
    apply();
    lab.open(2, v4(3), 80);
    assertThat(peer(4)).matches("/10\\.77\\.0\\.2:2000[01]");

    assertThat(firewall.resync()).isEqualTo(new NftOutcome.Unchanged());
  }

  private String peer(int listener) throws Exception {
    return lab.accept(listener).getRemoteAddress().toString();
  }
}
