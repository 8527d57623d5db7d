package io.margay.agent.firewall;

import static io.margay.agent.firewall.FirewallNamespaces.arrives;
import static io.margay.agent.firewall.FirewallNamespaces.echoes;
import static io.margay.agent.firewall.HostFixtures.all;
import static io.margay.agent.firewall.HostFixtures.early;
import static io.margay.agent.firewall.HostFixtures.host;
import static io.margay.agent.firewall.PolicyFixtures.ANY;
import static io.margay.agent.firewall.PolicyFixtures.change;
import static io.margay.agent.firewall.PolicyFixtures.egress;
import static io.margay.agent.firewall.PolicyFixtures.endpoint;
import static io.margay.agent.firewall.PolicyFixtures.inSet;
import static io.margay.agent.firewall.PolicyFixtures.ingress;
import static io.margay.agent.firewall.PolicyFixtures.members;
import static io.margay.agent.firewall.PolicyFixtures.ports;
import static io.margay.agent.firewall.PolicyFixtures.profile;
import static io.margay.agent.firewall.PolicyFixtures.rule;
import static io.margay.agent.firewall.PolicyFixtures.set;
import static io.margay.agent.firewall.PolicyFixtures.tcp;
import static io.margay.agent.firewall.PolicyFixtures.tier;
import static io.margay.agent.firewall.PolicyFixtures.withHostPorts;
import static io.margay.agent.firewall.Silence.isSilent;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.agent.settings.PolicyChangeMode;
import io.margay.linux.conntrack.Conntrack;
import io.margay.linux.netlink.NetlinkSocket;
import io.margay.linux.nft.KernelNftables;
import io.margay.linux.nft.NftRuleInfo;
import io.margay.linux.nft.NftTable.Ownership;
import io.margay.linux.nft.NftTableName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.policy.HostPort;
import io.margay.policy.PolicyUpdate;
import io.margay.policy.RuleAction;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Connections of the node itself, and through it, that are open while policy of its host endpoint
/// changes: between the node (namespace 0), its pod 1, a machine behind `lan0` (2) and one beyond
/// `up0` (3). What each test denies is denied in the direction the connection began in alone: the
/// other one is open, so that the kernel would let it begin there.
@Tag("netns")
final class HostFlowPacketTest {

  private static final int NODE = 0;
  private static final int POD = 1;
  private static final int LAN = 2;
  private static final int OUTSIDE = 3;
  private static final int SSH = 22;

  private FirewallNamespaces lab;
  private FlowAgent agent;
  private int listeners;
  private List<InetAddress> node;
  private List<InetAddress> outside;
  private List<InetAddress> lan;

  /// Both ends of a connection.
  private record Pair(SocketChannel client, SocketChannel server) {}

  @BeforeEach
  void raise() throws Exception {
    lab = new FirewallNamespaces(2);
    lab.addOutside();
    lab.in("o", "ip route add default via 192.0.2.1");
    lab.in("o", "ip -6 route add default via 2001:db8::1");
    lab.in("r", "ip link set cali2 down");
    lab.in("r", "ip link set cali2 name lan0");
    lab.in("r", "ip link set lan0 up");
    lab.in("r", "ip addr replace fe80::1/64 dev lan0 nodad");
    lab.in("r", "ip route replace 10.65.0.2 dev lan0");
    lab.in("r", "ip -6 route replace fd00:65::2 dev lan0");
    node = addresses("192.0.2.1", "2001:db8::1");
    outside = addresses("192.0.2.2", "2001:db8::2");
    lan = addresses("10.65.0.2", "fd00:65::2");
    agent = agent(PolicyChangeMode.REEVALUATE);
  }

  private FlowAgent agent(PolicyChangeMode mode) throws Exception {
    return new FlowAgent(lab, mode, Ownership.WHERE_PERSISTENT);
  }

  private static List<InetAddress> addresses(String v4, String v6) throws Exception {
    return List.of(InetAddress.getByName(v4), InetAddress.getByName(v6));
  }

  @AfterEach
  void clean() throws Exception {
    agent.close();
    lab.close();
  }

  /// A connection of each family.
  private List<Pair> open(int from, int where, List<InetAddress> to, int port) throws Exception {
    List<Pair> pairs = new ArrayList<>();
    for (InetAddress address : to) {
      lab.listenAt(where, address, port);
      SocketChannel client = lab.open(from, address, port);
      pairs.add(new Pair(client, lab.accept(listeners++)));
    }
    live(pairs);
    return pairs;
  }

  private static void live(List<Pair> pairs) throws Exception {
    for (Pair pair : pairs) {
      assertThat(echoes(pair.client(), pair.server())).isTrue();
      assertThat(echoes(pair.server(), pair.client())).isTrue();
    }
  }

  /// Whoever sends, and goes on sending what is not acknowledged.
  private static void silent(List<Pair> pairs) throws Exception {
    for (Pair pair : pairs) {
      assertThat(isSilent(pair.server(), pair.client())).isTrue();
      assertThat(isSilent(pair.client(), pair.server())).isTrue();
      assertThat(isSilent(pair.server(), pair.client())).isTrue();
    }
  }

  /// What [#silent] had sent arrives at last.
  private static void revive(List<Pair> pairs) throws Exception {
    for (Pair pair : pairs) {
      assertThat(arrives(pair.client(), 10)).isTrue();
      assertThat(arrives(pair.server(), 5)).isTrue();
    }
    live(pairs);
  }

  /// Denies these ports, and nothing else.
  private static PolicyUpdate denyIn(String name, int... ports) {
    return ingress(
        name, tcp(0, RuleAction.DENY, ANY, ports(ports)), rule(1, RuleAction.ALLOW, ANY, ANY));
  }

  private static PolicyUpdate denyOut(String name, int... ports) {
    return egress(
        name, tcp(0, RuleAction.DENY, ANY, ports(ports)), rule(1, RuleAction.ALLOW, ANY, ANY));
  }

  private static PolicyUpdate policed() {
    return host("up0").withNormal(List.of(tier("in")), List.of(tier("out"))).update();
  }

  private void begin(PolicyUpdate... updates) {
    agent.begin(profile("open", RuleAction.ALLOW), endpoint(1, List.of(), List.of(), "open"));
    agent.apply(updates);
  }

  private String rules() throws Exception {
    return lab.in("r", "nft list table ip margay");
  }

  private void forget(List<InetAddress> addresses) throws Exception {
    try (Conntrack conntrack = lab.conntrack()) {
      for (InetAddress address : addresses) {
        conntrack.deleteFlows(Set.of(IpAddress.of(address.getAddress())));
      }
    }
  }

  @Test
  void what_is_newly_denied_to_and_from_the_node_stops_and_all_else_lives_on() throws Exception {
    begin(denyIn("in", 9), denyOut("out", 9), policed());
    List<Pair> in = open(OUTSIDE, NODE, node, 8080);
    List<Pair> out = open(NODE, OUTSIDE, outside, 9090);
    List<Pair> otherIn = open(OUTSIDE, NODE, node, 8081);
    List<Pair> otherOut = open(NODE, OUTSIDE, outside, 9091);
    List<Pair> ssh = open(OUTSIDE, NODE, node, SSH);
    List<Pair> toPod = open(NODE, POD, addresses("10.65.0.1", "fd00:65::1"), 8080);
    List<Pair> through = open(OUTSIDE, LAN, lan, 8080);

    agent.apply(denyIn("in", 8080, SSH));
    agent.awaitCut(2);
    silent(in);
    live(out);
    agent.apply(denyOut("out", 9090));
    agent.awaitCut(4);
    silent(out);
    silent(in);
    live(otherIn);
    live(otherOut);
    live(ssh);
    live(toPod);
    live(through);
    agent.awaitRound();
    assertThat(agent.cut()).isEqualTo(4);
  }

  @Test
  void a_failsafe_connection_outlives_its_tracking_after_a_cut_whoever_sends_first()
      throws Exception {
    begin(denyIn("in", 9), denyOut("out", 9), policed());
    List<Pair> in = open(OUTSIDE, NODE, node, 8080);
    List<Pair> ssh = open(OUTSIDE, NODE, node, SSH);
    agent.apply(denyIn("in", 8080));
    agent.awaitCut(2);
    forget(outside);
    for (Pair pair : ssh) {
      assertThat(echoes(pair.server(), pair.client())).isTrue();
    }
    live(ssh);
    silent(in);
  }

  @Test
  void the_endpoint_of_all_interfaces_cuts_and_leaves_pods_and_the_loopback_alone()
      throws Exception {
    begin(denyIn("in", 9), denyOut("out", 9));
    agent.apply(all().withNormal(List.of(tier("in")), List.of(tier("out"))).update());
    List<Pair> in = open(OUTSIDE, NODE, node, 8080);
    List<Pair> local = open(NODE, NODE, addresses("127.0.0.1", "::1"), 8082);
    List<Pair> toPod = open(NODE, POD, addresses("10.65.0.1", "fd00:65::1"), 8083);
    List<Pair> fromPod = open(POD, NODE, node, 8084);
    agent.apply(denyIn("in", 8080, 8082, 8083, 8084), denyOut("out", 8082, 8083));
    agent.awaitCut(2);
    silent(in);
    live(local);
    live(toPod);
    live(fromPod);
  }

  @Test
  void a_new_endpoint_cuts_what_no_policy_of_it_allows() throws Exception {
    begin(denyIn("in", 8080), denyOut("out", 9));
    List<Pair> in = open(OUTSIDE, NODE, node, 8080);
    List<Pair> other = open(OUTSIDE, NODE, node, 8081);
    agent.apply(policed());
    agent.awaitCut(2);
    silent(in);
    live(other);
  }

  @Test
  void what_is_forwarded_is_cut_by_apply_on_forward_policy_in_either_direction() throws Exception {
    begin(denyIn("in", 9), denyOut("out", 9));
    List<Pair> in = open(OUTSIDE, LAN, lan, 8080);
    List<Pair> out = open(LAN, OUTSIDE, outside, 9090);
    List<Pair> other = open(OUTSIDE, LAN, lan, 8081);
    agent.apply(host("up0").withForwarded(List.of(tier("in")), List.of()).update());
    agent.apply(denyIn("in", 8080));
    agent.awaitCut(2);
    silent(in);
    live(out);
    agent.apply(host("up0").withForwarded(List.of(), List.of(tier("out"))).update());
    agent.apply(denyOut("out", 9090));
    agent.awaitCut(4);
    silent(out);
    live(other);
  }

  @Test
  void pre_dnat_policy_cuts_by_where_a_connection_was_meant_to_go() throws Exception {
    begin(
        withHostPorts(
            1,
            new HostPort(PolicyFixtures.TCP, null, 30080, 80),
            new HostPort(PolicyFixtures.TCP, null, 30081, 80)),
        denyIn("early", 9),
        host("up0").withPreDnat(early("early")).update());
    lab.listen(POD, 80);
    List<Pair> led = new ArrayList<>();
    for (int port : new int[] {30080, 30081}) {
      SocketChannel client = lab.open(OUTSIDE, node.getFirst(), port);
      led.add(new Pair(client, lab.accept(0)));
    }
    listeners = 2;
    List<Pair> through = open(OUTSIDE, LAN, lan, 8080);
    agent.apply(denyIn("early", 30080, 8080));
    agent.awaitCut(3);
    silent(led.subList(0, 1));
    silent(through);
    live(led.subList(1, 2));
    agent.apply(denyIn("early", 80));
    agent.awaitRound();
    live(led.subList(1, 2));
  }

  @Test
  void in_mode_keep_they_live_on() throws Exception {
    agent.close();
    agent = agent(PolicyChangeMode.KEEP);
    begin(denyIn("in", 9), denyOut("out", 9), policed());
    List<Pair> in = open(OUTSIDE, NODE, node, 8080);
    agent.apply(denyIn("in", 8080));
    assertThat(lab.dropped(OUTSIDE, node.getFirst(), 8080)).isTrue();
    live(in);
    assertThat(agent.cut()).isZero();
  }

  @Test
  void connections_nobody_tracked_go_on_where_policy_allows_them_while_nothing_was_cut()
      throws Exception {
    begin(denyIn("in", 9), egress("out", rule(0, RuleAction.DENY, ANY, ANY)));
    List<Pair> in = open(OUTSIDE, NODE, node, 8080);
    List<Pair> other = open(OUTSIDE, NODE, node, 8081);
    forget(outside);
    // Seen first in the direction that policy will deny: who began is not known any more.
    for (Pair pair : in) {
      assertThat(echoes(pair.server(), pair.client())).isTrue();
    }
    agent.apply(policed());
    agent.awaitRound();
    live(in);
    forget(outside);
    live(other);
    live(in);
    assertThat(agent.cut()).isZero();
    assertThat(rules()).doesNotContain("chain cut");
  }

  @Test
  void nothing_is_cut_before_the_kernel_has_the_rule_against_coming_back() throws Exception {
    agent.close();
    RefusingKernel kernel = new RefusingKernel(lab.nftables());
    agent =
        new FlowAgent(
            lab,
            kernel,
            PolicyChangeMode.REEVALUATE,
            Ownership.WHERE_PERSISTENT,
            1000,
            FlowAgent.NO_GLANCE);
    begin(denyIn("in", 9), denyOut("out", 9), policed());
    List<Pair> in = open(OUTSIDE, NODE, node, 8080);
    List<Pair> other = open(OUTSIDE, NODE, node, 8081);
    kernel.refuse("cut_in");
    agent.apply(denyIn("in", 8080, 8081));
    agent.loop.await(kernel::refusals, refusals -> refusals > 0);
    assertThat(lab.dropped(OUTSIDE, node.getFirst(), 8080)).as("policy is in force").isTrue();
    live(in);
    assertThat(agent.cut()).isZero();
    // What is allowed again by then is not cut.
    agent.apply(denyIn("in", 8080));
    kernel.refuse("");
    agent.apply();
    agent.awaitCut(2);
    silent(in);
    live(other);
  }

  @Test
  void what_keeps_it_out_comes_and_goes_without_another_rule_being_written() throws Exception {
    String[] clients = {"192.0.2.2", "2001:db8::2"};
    begin(
        set("s:clients", clients),
        ingress("in", tcp(0, RuleAction.ALLOW, inSet("s:clients"), ANY)),
        denyOut("out", 9),
        policed());
    List<Pair> in = open(OUTSIDE, NODE, node, 8080);
    List<NftRuleInfo> before = otherRules();
    assertThat(rules()).doesNotContain("chain cut");
    agent.apply(change("s:clients", members(), members(clients)));
    agent.awaitCut(2);
    assertThat(rules()).contains("chain cut_in {", "chain cut_out {");
    assertThat(otherRules()).isEqualTo(before);
    silent(in);
    agent.apply(change("s:clients", members(clients), members()));
    agent.loop.await(this::rules, rules -> !rules.contains("chain cut"));
    assertThat(otherRules()).isEqualTo(before);
    revive(in);
  }

  @Test
  void an_emptied_tracking_table_ends_nothing_and_brings_nothing_back() throws Exception {
    begin(denyIn("in", 9), denyOut("out", 9), policed());
    List<Pair> in = open(OUTSIDE, NODE, node, 8080);
    List<Pair> other = open(OUTSIDE, NODE, node, 8081);
    List<Pair> out = open(NODE, OUTSIDE, outside, 9090);
    agent.apply(denyIn("in", 8080));
    agent.awaitCut(2);
    forget(outside);
    silent(in);
    live(other);
    live(out);
  }

  @Test
  void a_new_connection_of_the_same_ends_is_not_kept_out_once_its_handshake_is_done()
      throws Exception {
    agent.close();
    agent = glancing();
    begin(denyIn("in", 9), denyOut("out", 9), policed());
    Pair one = open(OUTSIDE, NODE, node.subList(0, 1), 8080).getFirst();
    Pair other = open(OUTSIDE, NODE, node.subList(0, 1), 8081).getFirst();
    agent.apply(denyIn("in", 8080, 8081));
    agent.awaitCut(2);
    silent(List.of(one, other));
    // The other way about, as policy allows it.
    try (NetlinkSocket tracking = lab.netfilter()) {
      tracking.request(answers(one).begun());
      tracking.request(answers(other).established());
      String itsPort = " " + answers(other).port() + " ";
      agent.loop.await(this::rules, rules -> !rules.contains(itsPort));
      assertThat(rules()).contains("chain cut", " " + answers(one).port() + " ");
      tracking.request(answers(one).established());
    }
    agent.loop.await(this::rules, rules -> !rules.contains("chain cut"));
    assertThat(agent.cut()).isEqualTo(2);
  }

  /// It looks for new connections all the time.
  private FlowAgent glancing() throws Exception {
    return new FlowAgent(
        lab,
        lab.nftables(),
        PolicyChangeMode.REEVALUATE,
        Ownership.NEVER,
        1000,
        Duration.ofMillis(100));
  }

  /// As one does while somebody has taken the rules away.
  @Test
  void what_came_back_all_the_same_is_cut_again() throws Exception {
    agent.close();
    agent = glancing();
    begin(denyIn("in", 9), denyOut("out", 9), policed());
    List<Pair> in = open(OUTSIDE, NODE, node.subList(0, 1), 8080);
    agent.apply(denyIn("in", 8080));
    agent.awaitCut(1);
    try (NetlinkSocket tracking = lab.netfilter()) {
      tracking.request(answers(in.getFirst()).pickedUp());
    }
    agent.awaitCut(2);
    silent(in);
  }

  /// As the kernel sees it that sees an answer first.
  private static TrackedFlow answers(Pair pair) throws Exception {
    int port = ((InetSocketAddress) pair.client().getLocalAddress()).getPort();
    int serverPort = ((InetSocketAddress) pair.client().getRemoteAddress()).getPort();
    return new TrackedFlow(PolicyFixtures.TCP, "192.0.2.1", serverPort, "192.0.2.2", port);
  }

  /// With their handles: a rule that is written anew has another.
  private List<NftRuleInfo> otherRules() throws Exception {
    try (KernelNftables kernel = lab.nftables()) {
      return kernel.rules(new NftTableName(IpFamily.IPV4, "margay")).stream()
          .filter(rule -> !rule.chain().startsWith("cut"))
          .map(rule -> new NftRuleInfo(rule.chain(), rule.handle(), rule.id(), null))
          .toList();
    }
  }

  @Test
  void an_agent_that_starts_cuts_and_keeps_out_what_the_one_before_had_cut() throws Exception {
    begin(denyIn("in", 9), denyOut("out", 9), policed());
    List<Pair> in = open(OUTSIDE, NODE, node, 8080);
    List<Pair> later = open(OUTSIDE, NODE, node, 8081);
    agent.apply(denyIn("in", 8080));
    agent.awaitCut(2);
    agent.close();
    agent = agent(PolicyChangeMode.REEVALUATE);
    begin(denyIn("in", 8080, 8081), denyOut("out", 9), policed());
    agent.awaitCut(2);
    silent(in);
    silent(later);
    agent.apply(denyIn("in", 8081));
    agent.loop.await(
        () -> lab.in("r", "nft list table ip margay") + lab.in("r", "nft list table ip6 margay"),
        rules -> !rules.contains(". 8080"));
    revive(in);
    silent(later);
  }
}
