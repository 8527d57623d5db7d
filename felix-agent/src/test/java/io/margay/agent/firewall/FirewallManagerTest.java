package io.margay.agent.firewall;

import static io.margay.agent.firewall.PolicyFixtures.ANY;
import static io.margay.agent.firewall.PolicyFixtures.change;
import static io.margay.agent.firewall.PolicyFixtures.endpoint;
import static io.margay.agent.firewall.PolicyFixtures.inSet;
import static io.margay.agent.firewall.PolicyFixtures.ingress;
import static io.margay.agent.firewall.PolicyFixtures.key;
import static io.margay.agent.firewall.PolicyFixtures.members;
import static io.margay.agent.firewall.PolicyFixtures.nets;
import static io.margay.agent.firewall.PolicyFixtures.policy;
import static io.margay.agent.firewall.PolicyFixtures.ports;
import static io.margay.agent.firewall.PolicyFixtures.profile;
import static io.margay.agent.firewall.PolicyFixtures.rule;
import static io.margay.agent.firewall.PolicyFixtures.set;
import static io.margay.agent.firewall.PolicyFixtures.tcp;
import static io.margay.agent.firewall.PolicyFixtures.tier;
import static io.margay.agent.firewall.PolicyFixtures.withHostPorts;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.linux.nft.FakeNftables;
import io.margay.linux.nft.NftElement;
import io.margay.linux.nft.NftOutcome;
import io.margay.linux.nft.NftTable;
import io.margay.linux.nft.NftTable.Ownership;
import io.margay.linux.nft.NftTableName;
import io.margay.linux.nft.NftTableState;
import io.margay.linux.nft.NftText;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Ipv4Address;
import io.margay.model.net.Prefix;
import io.margay.model.resource.Port;
import io.margay.policy.EndpointKey;
import io.margay.policy.EndpointPolicy;
import io.margay.policy.HostInterface;
import io.margay.policy.HostPort;
import io.margay.policy.PolicyUpdate;
import io.margay.policy.RuleAction;
import io.margay.policy.SetId;
import io.margay.policy.TierPolicies;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

final class FirewallManagerTest {

  private static final NftTableName V4 = new NftTableName(IpFamily.IPV4, "margay");
  private static final NftTableName V6 = new NftTableName(IpFamily.IPV6, "margay");

  private static final List<RuleAction> ACTIONS = List.of(RuleAction.values());

  private final FakeNftables fake = new FakeNftables(false);
  private final FirewallManager firewall = manager(fake);

  private static FirewallManager manager(FakeNftables fake) {
    return new FirewallManager(
        new NftTable(fake.open(), "margay", Ownership.WHERE_PERSISTENT), FirewallSettings.DEFAULT);
  }

  private NftOutcome apply(PolicyUpdate... updates) throws Exception {
    for (PolicyUpdate update : updates) {
      firewall.onUpdate(update);
    }
    return firewall.apply();
  }

  private static List<PolicyUpdate> world() {
    return List.of(
        set("s:two", "10.65.0.2", "fd00:65::2"),
        set("s:net", "10.0.0.0/8", "10.1.0.0/16"),
        ingress(
            "allow",
            tcp(0, RuleAction.ALLOW, inSet("s:two"), ports(80)),
            rule(1, RuleAction.DENY, inSet("s:net"), ANY)),
        ingress("pass", rule(0, RuleAction.PASS, inSet("s:two"), ANY)),
        profile("open", RuleAction.ALLOW),
        endpoint(
            1,
            List.of(
                tier("security", RuleAction.PASS, "pass"),
                tier("default", RuleAction.DENY, "allow")),
            List.of(),
            "open"),
        endpoint(2, List.of(), List.of(), "open", "missing"));
  }

  @Test
  void the_rendered_table_reads_as_the_policy() throws Exception {
    apply(world().toArray(PolicyUpdate[]::new));
    List<String> text = lines(NftText.print(firewall.desired(IpFamily.IPV4)));
    String allow = Layout.policyChain(policy("allow"), Direction.INGRESS);
    String tier =
        Layout.tierChain(new TierKey(Direction.INGRESS, tier("default", RuleAction.DENY, "allow")));
    String two = "0x" + hex("s:two");
    String net = "0x" + hex("s:net");
    String open = Layout.profileChain("open", Direction.INGRESS);
    assertThat(text)
        .containsSubsequence(
            "chain " + allow + " {",
            "meta l4proto tcp th dport 80 "
                + two
                + " . ip saddr @members counter accept"
                + " comment \"policy|ns/allow|ingress|0\"",
            net
                + " . 0x00000008 . ip saddr & 0xff000000 @prefixes counter drop"
                + " comment \"policy|ns/allow|ingress|1\"",
            net
                + " . 0x00000010 . ip saddr & 0xffff0000 @prefixes counter drop"
                + " comment \"policy|ns/allow|ingress|1\"",
            net + " . ip saddr @members counter drop comment \"policy|ns/allow|ingress|1\"",
            "}")
        .containsSubsequence(
            "chain " + tier + " {",
            "jump " + allow + " comment \"policy|ns/allow|ingress\"",
            "counter drop comment \"tier|default|ingress|end\"",
            "}")
        .containsSubsequence(
            "chain i-cali1 {",
            "ct state new meta l4proto tcp tcp flags & 0x17 != 0x02 counter drop"
                + " comment \"endpoint|ns/pod1|ingress|not-syn\"",
            "jump " + tier + " comment \"tier|default|ingress\"",
            "jump " + open + " comment \"profile|open|ingress\"",
            "counter drop comment \"endpoint|ns/pod1|ingress|end\"",
            "}")
        .containsSubsequence(
            "chain i-cali2 {",
            "jump " + open + " comment \"profile|open|ingress\"",
            "counter drop comment \"profile|missing|ingress|missing\"",
            "}")
        .contains("elements = { " + net + " . 0x00000008 . 10.0.0.0,")
        .contains(two + " . ip saddr @members counter return comment \"policy|ns/pass|ingress|0\"");
    assertThat(NftText.print(firewall.desired(IpFamily.IPV6)))
        .contains(two + " . ip6 saddr @members counter accept")
        .doesNotContain("@prefixes");
  }

  private static String hex(String set) {
    return String.format("%08x", new SetIds().id(set));
  }

  private static List<String> lines(String text) {
    return Arrays.stream(text.split("\n")).map(String::strip).toList();
  }

  @Test
  void a_wire_with_a_foreign_name_has_in_its_own_chains_what_the_base_does_by_prefix()
      throws Exception {
    apply(
        profile("open", RuleAction.ALLOW),
        new PolicyUpdate.EndpointUpdated(
            new EndpointKey("ns", "ptp"),
            new EndpointPolicy(
                new InterfaceName("veth1234"),
                List.of(IpAddress.parse("10.65.0.9"), IpAddress.parse("fd00:65::9")),
                List.of(),
                List.of(),
                List.of("open"))));
    assertThat(NftText.print(firewall.desired(IpFamily.IPV4)))
        .contains("endpoint|ns/ptp|egress|spoof", "endpoint|ns/ptp|ingress|invalid");
    assertThat(NftText.print(firewall.desired(IpFamily.IPV6)))
        .contains("endpoint|ns/ptp|egress|neighbour-discovery");
  }

  @Test
  void a_fresh_agent_with_the_same_policy_writes_nothing() throws Exception {
    apply(world().toArray(PolicyUpdate[]::new));
    int commits = fake.commits();
    FirewallManager second = manager(fake);
    world().forEach(second::onUpdate);
    assertThat(second.apply()).isEqualTo(new NftOutcome.Unchanged());
    assertThat(fake.commits()).isEqualTo(commits);
  }

  @Test
  void one_member_is_one_step() throws Exception {
    apply(world().toArray(PolicyUpdate[]::new));
    assertThat(apply(change("s:two", members("10.65.0.3"), members())))
        .isEqualTo(new NftOutcome.Written(1));
    assertThat(apply(set("s:two", "10.65.0.3", "10.65.0.2", "fd00:65::2")))
        .isEqualTo(new NftOutcome.Unchanged());
  }

  @Test
  void a_set_that_goes_and_comes_back_before_the_kernel_hears_of_it_keeps_its_members()
      throws Exception {
    apply(set("s:two", "10.65.0.2"));
    firewall.onUpdate(new PolicyUpdate.SetRemoved(new SetId("s:two")));
    firewall.onUpdate(set("s:two", "10.65.0.2", "10.65.0.3"));
    firewall.apply();
    assertThat(fake.elements(V4, Layout.MEMBERS)).hasSize(2);
    firewall.onUpdate(new PolicyUpdate.SetRemoved(new SetId("s:two")));
    firewall.apply();
    assertThat(fake.elements(V4, Layout.MEMBERS)).isEmpty();
  }

  @Test
  void a_missing_policy_closes_its_tier() throws Exception {
    apply(
        profile("open", RuleAction.ALLOW),
        endpoint(1, List.of(tier("t", RuleAction.PASS, "gone")), List.of(), "open"));
    String tier =
        Layout.tierChain(new TierKey(Direction.INGRESS, tier("t", RuleAction.PASS, "gone")));
    assertThat(fake.rules(V4, tier))
        .singleElement()
        .satisfies(r -> assertThat(r.id()).isEqualTo("policy|ns/gone|ingress|missing"));
    apply(ingress("gone", rule(0, RuleAction.ALLOW, ANY, ANY)));
    assertThat(fake.rules(V4, tier))
        .singleElement()
        .satisfies(r -> assertThat(r.id()).isEqualTo("policy|ns/gone|ingress"));
  }

  @Test
  void an_interface_claimed_twice_is_closed_until_one_claim_is_left() throws Exception {
    apply(profile("open", RuleAction.ALLOW), endpoint(1, List.of(), List.of(), "open"));
    assertThat(fake.elements(V4, Layout.FROM_ENDPOINTS)).hasSize(1);
    EndpointKey rival = new EndpointKey("other", "pod");
    apply(
        new PolicyUpdate.EndpointUpdated(
            rival,
            new EndpointPolicy(
                new InterfaceName("cali1"), List.of(), List.of(), List.of(), List.of("open"))));
    assertThat(fake.elements(V4, Layout.FROM_ENDPOINTS)).isEmpty();
    assertThat(fake.elements(V4, Layout.OWNED)).isEmpty();
    apply(new PolicyUpdate.EndpointRemoved(rival));
    assertThat(fake.elements(V4, Layout.FROM_ENDPOINTS)).hasSize(1);
    assertThat(fake.elements(V4, Layout.OWNED)).hasSize(1);
  }

  @Test
  void everything_removed_leaves_only_the_closed_base() throws Exception {
    NftTableState bare = emptyTable(IpFamily.IPV4);
    apply(world().toArray(PolicyUpdate[]::new));
    apply(
        new PolicyUpdate.EndpointRemoved(key(1)),
        new PolicyUpdate.EndpointRemoved(key(2)),
        new PolicyUpdate.ProfileRemoved("open"),
        new PolicyUpdate.PolicyRemoved(policy("allow")),
        new PolicyUpdate.PolicyRemoved(policy("pass")),
        new PolicyUpdate.SetRemoved(new SetId("s:two")),
        new PolicyUpdate.SetRemoved(new SetId("s:net")));
    assertThat(NftText.print(firewall.desired(IpFamily.IPV4))).isEqualTo(NftText.print(bare));
    assertThat(fake.elements(V4, Layout.MEMBERS)).isEmpty();
    assertThat(fake.elements(V6, Layout.MEMBERS)).isEmpty();
    assertThat(fake.elements(V4, Layout.PREFIXES)).isEmpty();
  }

  private static NftTableState emptyTable(IpFamily family) {
    return manager(new FakeNftables(false)).desired(family);
  }

  @Test
  void a_list_is_in_the_kernel_while_a_rule_uses_it() throws Exception {
    List<String> many = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      many.add("192.0." + i + ".0/24");
    }
    many.add("192.0.0.0/25");
    apply(ingress("long", rule(0, RuleAction.ALLOW, nets(many, List.of()), ANY)));
    assertThat(fake.elements(V4, Layout.PREFIXES)).hasSize(40);
    assertThat(fake.rules(V4, Layout.policyChain(policy("long"), Direction.INGRESS))).hasSize(1);
    assertThat(fake.rules(V6, Layout.policyChain(policy("long"), Direction.INGRESS))).isEmpty();
    apply(ingress("other", rule(0, RuleAction.ALLOW, nets(many, List.of()), ANY)));
    apply(new PolicyUpdate.PolicyRemoved(policy("long")));
    assertThat(fake.elements(V4, Layout.PREFIXES)).hasSize(40);
    apply(new PolicyUpdate.PolicyRemoved(policy("other")));
    assertThat(fake.elements(V4, Layout.PREFIXES)).isEmpty();
  }

  @Test
  void what_leaves_the_pools_gets_the_address_and_of_tcp_and_udp_the_ports_that_are_set()
      throws Exception {
    Set<Prefix> pools = Set.of(Prefix.parse("10.65.0.0/16"), Prefix.parse("fd00:65::/64"));
    Port.Range ports = new Port.Range(32768, 60999);

    firewall.setNatOutgoing(new NatOutgoing(pools, pools, Ipv4Address.parse("192.0.2.9"), ports));
    apply();
    assertThat(translations(IpFamily.IPV4))
        .containsExactly(
            "meta l4proto tcp snat to 192.0.2.9:32768-60999",
            "meta l4proto udp snat to 192.0.2.9:32768-60999",
            "snat to 192.0.2.9");
    assertThat(translations(IpFamily.IPV6))
        .containsExactly(
            "meta l4proto tcp masquerade to :32768-60999",
            "meta l4proto udp masquerade to :32768-60999",
            "masquerade");

    firewall.setNatOutgoing(new NatOutgoing(pools, pools));
    apply();
    assertThat(translations(IpFamily.IPV4)).containsExactly("masquerade");
  }

  /// What the rules of the chain that masquerades end in.
  private List<String> translations(IpFamily family) {
    return lines(NftText.print(firewall.desired(family))).stream()
        .filter(line -> line.contains("comment \"nat-outgoing"))
        .map(line -> line.replaceFirst("^.* != @\\S+ ", "").replaceFirst(" comment .*$", ""))
        .toList();
  }

  @Test
  void ports_without_a_protocol_are_a_bug() {
    firewall.onUpdate(ingress("bad", rule(0, RuleAction.ALLOW, ANY, ports(80))));
    assertThatThrownBy(firewall::apply).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void set_ids_are_the_same_in_every_run_and_never_shared() {
    SetIds first = new SetIds();
    SetIds second = new SetIds();
    second.id("s:other");
    Set<Integer> seen = new HashSet<>();
    for (int i = 0; i < 20_000; i++) {
      assertThat(seen.add(first.id("s:" + i))).isTrue();
    }
    assertThat(second.id("s:7")).isEqualTo(first.id("s:7"));
  }

  @Test
  void long_ids_are_cut_and_stay_different() {
    String name = "n".repeat(250);
    String one = Layout.ruleId("policy", name, "ingress", "1");
    String two = Layout.ruleId("policy", name, "ingress", "2");
    assertThat(one).hasSizeLessThanOrEqualTo(128).isNotEqualTo(two);
  }

  private static HostPort hostPort(int protocol, @Nullable String hostIp, int hostPort, int port) {
    return new HostPort(protocol, hostIp == null ? null : IpAddress.parse(hostIp), hostPort, port);
  }

  @Test
  void host_ports_are_elements_of_maps_that_two_chains_look_up() throws Exception {
    apply(profile("open", RuleAction.ALLOW), endpoint(2, List.of(), List.of(), "open"));
    assertThat(fake.rules(V4, Layout.HOST_PORTS_CHAIN)).as("none, no chain").isEmpty();
    apply(
        withHostPorts(
            1,
            hostPort(6, null, 8080, 80),
            hostPort(17, "192.0.2.1", 53, 5353),
            hostPort(17, "2001:db8::1", 53, 5353)));
    List<String> text = lines(NftText.print(firewall.desired(IpFamily.IPV4)));
    assertThat(text)
        .contains(
            "elements = { tcp . 8080 : 10.65.0.1 . 80 }",
            "elements = { 192.0.2.1 . udp . 53 : 10.65.0.1 . 5353 }",
            "elements = { 10.65.0.1 . 10.65.0.1 }")
        .containsSubsequence(
            "chain host_ports_back {",
            "type nat hook postrouting priority 101; policy accept;",
            "ip saddr . ip daddr @hairpin masquerade comment \"host-port|self\"",
            "oifname \"cali*\" @nh,96,8 127 masquerade comment \"host-port|localhost|cali\"",
            "}")
        .containsSubsequence(
            "chain host_ports_in {",
            "type nat hook prerouting priority -99; policy accept;",
            "fib daddr type local dnat ip to ip daddr . meta l4proto . th dport map @host_ports_at"
                + " comment \"host-port|at\"",
            "fib daddr type local dnat ip to meta l4proto . th dport map @host_ports"
                + " comment \"host-port|any\"",
            "}")
        .containsSubsequence(
            "chain host_ports_local {", "type nat hook output priority -99; policy accept;", "}");
    assertThat(lines(NftText.print(firewall.desired(IpFamily.IPV6))))
        .contains(
            "elements = { tcp . 8080 : fd00:65::1 . 80 }",
            "elements = { 2001:db8::1 . udp . 53 : fd00:65::1 . 5353 }",
            "ip6 daddr != ::1 fib daddr type local dnat ip6 to meta l4proto . th dport map"
                + " @host_ports comment \"host-port|any\"");

    int rules = fake.rules(V4, Layout.HOST_PORTS_CHAIN).size();
    assertThat(apply(withHostPorts(3, hostPort(6, null, 8081, 80))))
        .as("another pod adds its chains and elements")
        .isInstanceOf(NftOutcome.Written.class);
    assertThat(fake.rules(V4, Layout.HOST_PORTS_CHAIN)).hasSize(rules);
    assertThat(
            manager(
                    fake,
                    profile("open", RuleAction.ALLOW),
                    endpoint(2, List.of(), List.of(), "open"),
                    withHostPorts(3, hostPort(6, null, 8081, 80)),
                    withHostPorts(
                        1,
                        hostPort(6, null, 8080, 80),
                        hostPort(17, "192.0.2.1", 53, 5353),
                        hostPort(17, "2001:db8::1", 53, 5353)))
                .apply())
        .as("a process without memory")
        .isEqualTo(new NftOutcome.Unchanged());

    apply(new PolicyUpdate.EndpointRemoved(key(1)), new PolicyUpdate.EndpointRemoved(key(3)));
    assertThat(fake.rules(V4, Layout.HOST_PORTS_CHAIN)).isEmpty();
    for (String set : List.of(Layout.HOST_PORTS, Layout.HOST_PORTS_AT, Layout.HAIRPIN)) {
      assertThat(fake.elements(V4, set)).isEmpty();
      assertThat(fake.elements(V6, set)).isEmpty();
    }
  }

  private static FirewallManager manager(FakeNftables fake, PolicyUpdate... updates) {
    FirewallManager manager = manager(fake);
    for (PolicyUpdate update : updates) {
      manager.onUpdate(update);
    }
    return manager;
  }

  @Test
  void what_moves_is_told_once_the_kernel_has_it() throws Exception {
    List<HostPortMove> told = new ArrayList<>();
    firewall.tellHostPortMoves(
        moves -> {
          assertThat(fake.commits()).isPositive();
          moves.forEach(told::add);
        });
    HostPortMove.Target one = new HostPortMove.Target(IpAddress.parse("10.65.0.1"), 80);
    HostPortMove.Target two = new HostPortMove.Target(IpAddress.parse("10.65.0.2"), 90);
    HostPort port = hostPort(6, "192.0.2.1", 8080, 80);
    IpAddress at = IpAddress.parse("192.0.2.1");
    apply(profile("open", RuleAction.ALLOW), withHostPorts(1, port));
    assertThat(told).containsExactly(new HostPortMove(IpFamily.IPV4, 6, at, 8080, null, one));
    told.clear();
    apply(withHostPorts(1, port));
    apply(withHostPorts(2, hostPort(6, "192.0.2.1", 8080, 90)));
    assertThat(told).as("the first claimant keeps it").isEmpty();
    apply(new PolicyUpdate.EndpointRemoved(key(1)));
    assertThat(told).containsExactly(new HostPortMove(IpFamily.IPV4, 6, at, 8080, one, two));
    told.clear();
    firewall.onUpdate(new PolicyUpdate.EndpointRemoved(key(2)));
    firewall.onUpdate(withHostPorts(2, hostPort(6, "192.0.2.1", 8080, 90)));
    firewall.apply();
    assertThat(told).as("there and back").isEmpty();
    apply(new PolicyUpdate.EndpointRemoved(key(2)));
    assertThat(told).containsExactly(new HostPortMove(IpFamily.IPV4, 6, at, 8080, two, null));
  }

  /// House law: outputs are a function of current inputs, never of the road taken.
  @Test
  void the_kernel_holds_the_same_whatever_road_was_taken() throws Exception {
    long seed = Long.getLong("seed", 20_261_123L);
    Random random = new Random(seed);
    Map<String, PolicyUpdate> current = new HashMap<>();
    for (int step = 0; step < 300; step++) {
      randomStep(random, current);
      if (random.nextInt(4) == 0) {
        assertThat(firewall.apply()).isNotInstanceOf(NftOutcome.Rebuilt.class);
      }
    }
    firewall.apply();

    FakeNftables scratch = new FakeNftables(false);
    FirewallManager direct = manager(scratch);
    List<PolicyUpdate> shuffled = new ArrayList<>(current.values());
    Collections.shuffle(shuffled, random);
    shuffled.forEach(direct::onUpdate);
    direct.apply();
    for (IpFamily family : IpFamily.values()) {
      assertThat(NftText.print(firewall.desired(family)))
          .as("seed %d", seed)
          .isEqualTo(NftText.print(direct.desired(family)));
      NftTableName table = new NftTableName(family, "margay");
      for (String set :
          List.of(
              Layout.MEMBERS,
              Layout.PREFIXES,
              Layout.OWNED,
              Layout.TO_ENDPOINTS,
              Layout.HOST_PORTS,
              Layout.HOST_PORTS_AT,
              Layout.HAIRPIN,
              Layout.HOSTS,
              Layout.FAILSAFES)) {
        Set<NftElement> kernel = fake.elements(table, set);
        assertThat(kernel).as("seed %d", seed).isEqualTo(scratch.elements(table, set));
      }
    }
  }

  /// Sets stay announced, as the sequencer keeps them while anything may use them.
  private void randomStep(Random random, Map<String, PolicyUpdate> current) {
    int number = 1 + random.nextInt(3);
    String name = "p" + number;
    PolicyUpdate update =
        switch (random.nextInt(10)) {
          case 0 -> new PolicyUpdate.PolicyRemoved(policy(name));
          case 1 -> new PolicyUpdate.EndpointRemoved(key(number));
          case 2 ->
              endpoint(
                  number,
                  List.of(tier("t", RuleAction.PASS, "p1", "p" + number), tier("p2")),
                  random.nextBoolean() ? List.of() : List.of(tier("p3")),
                  "prof" + random.nextInt(2));
          case 6 ->
              withHostPorts(
                  number,
                  hostPort(6, null, 8000 + random.nextInt(2), 80 + number),
                  hostPort(17, random.nextBoolean() ? "192.0.2.1" : "fd01::1", 53, 53));
          case 7 -> randomHost(random, number).update();
          case 8 -> randomHost(random, number).removal();
          case 3 -> profile("prof" + random.nextInt(2), RuleAction.ALLOW);
          case 4 -> new PolicyUpdate.ProfileRemoved("prof" + random.nextInt(2));
          case 5 ->
              set(
                  "s:" + number,
                  "10.0.0." + random.nextInt(3),
                  random.nextBoolean() ? "10.0.0.0/8" : "fd00::1",
                  random.nextBoolean() ? "10.1.0.0/16" : "10.1.0.0");
          default ->
              ingress(
                  name,
                  rule(
                      0,
                      ACTIONS.get(random.nextInt(ACTIONS.size())),
                      inSet(known(random, current)),
                      ANY));
        };
    switch (update) {
      case PolicyUpdate.PolicyRemoved removed -> current.remove("policy " + removed.key());
      case PolicyUpdate.EndpointRemoved removed -> current.remove("z " + removed.key());
      case PolicyUpdate.ProfileRemoved removed -> current.remove("profile " + removed.name());
      case PolicyUpdate.PolicyUpdated u -> current.put("policy " + u.key(), u);
      case PolicyUpdate.EndpointUpdated u -> current.put("z " + u.key(), u);
      case PolicyUpdate.ProfileUpdated u -> current.put("profile " + u.name(), u);
      case PolicyUpdate.SetUpdated u -> current.put("set " + u.id(), u);
      case PolicyUpdate.HostEndpointUpdated u -> current.put("zz " + u.key(), u);
      case PolicyUpdate.HostEndpointRemoved removed -> current.remove("zz " + removed.key());
      case PolicyUpdate.SetChanged _, PolicyUpdate.SetRemoved _ ->
          throw new IllegalStateException("not drawn");
    }
    firewall.onUpdate(update);
  }

  private static HostFixtures randomHost(Random random, int number) {
    HostFixtures host =
        switch (number) {
          case 1 -> HostFixtures.all();
          case 2 -> HostFixtures.host("eth0");
          default ->
              HostFixtures.at(
                  "second", new HostInterface.Named(new InterfaceName("eth" + random.nextInt(2))));
        };
    List<TierPolicies> early = List.of(HostFixtures.early("p1"));
    List<TierPolicies> tiers = List.of(tier("p2", "p3"));
    return host.withUntracked(random.nextBoolean() ? early : List.of(), List.of())
        .withPreDnat(
            random.nextBoolean() ? early.toArray(TierPolicies[]::new) : new TierPolicies[0])
        .withNormal(random.nextBoolean() ? tiers : List.of(), List.of())
        .withForwarded(List.of(), random.nextBoolean() ? tiers : List.of())
        .withProfiles("prof0");
  }

  private String known(Random random, Map<String, PolicyUpdate> current) {
    String id = "s:" + (1 + random.nextInt(3));
    if (!current.containsKey("set " + id)) {
      PolicyUpdate empty = set(id);
      current.put("set " + id, empty);
      firewall.onUpdate(empty);
    }
    return id;
  }
}
