package io.margay.agent.firewall;

import static io.margay.agent.firewall.HostFixtures.all;
import static io.margay.agent.firewall.HostFixtures.early;
import static io.margay.agent.firewall.HostFixtures.host;
import static io.margay.agent.firewall.PolicyFixtures.ANY;
import static io.margay.agent.firewall.PolicyFixtures.TCP;
import static io.margay.agent.firewall.PolicyFixtures.UDP;
import static io.margay.agent.firewall.PolicyFixtures.egress;
import static io.margay.agent.firewall.PolicyFixtures.endpoint;
import static io.margay.agent.firewall.PolicyFixtures.ingress;
import static io.margay.agent.firewall.PolicyFixtures.ports;
import static io.margay.agent.firewall.PolicyFixtures.profile;
import static io.margay.agent.firewall.PolicyFixtures.rule;
import static io.margay.agent.firewall.PolicyFixtures.tcp;
import static io.margay.agent.firewall.PolicyFixtures.tier;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.agent.firewall.FlowVerdicts.Verdict;
import io.margay.agent.firewall.HostProtection.ToHostAction;
import io.margay.model.net.IpAddress;
import io.margay.policy.RuleAction;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// A node with `eth0` (192.0.2.1) and `eth1` (203.0.113.1), and pod 1 at `cali1`; a peer beyond
/// `eth0`, a machine of the inside network beyond `eth1`.
final class HostVerdictsTest {

  private static final String NODE = "192.0.2.1";
  private static final String NODE_INSIDE = "203.0.113.1";
  private static final String POD = "10.65.0.1";
  private static final String PEER = "198.51.100.7";
  private static final String INSIDE = "203.0.113.9";

  private final JudgedNode node = new JudgedNode();

  @BeforeEach
  void raise() throws Exception {
    node.has(NODE, "eth0");
    node.has(NODE_INSIDE, "eth1");
    node.has("2001:db8::1");
    node.wayToWorkload(POD, "cali1");
    node.way(PEER, "eth0");
    node.way("2001:db8::7", "eth0");
    node.way(INSIDE, "eth1");
    node.apply(
        profile("open", RuleAction.ALLOW),
        endpoint(1, List.of(), List.of(), "open"),
        ingress("in", tcp(0, RuleAction.ALLOW, ANY, ports(80))),
        egress("out", tcp(0, RuleAction.ALLOW, ANY, ports(90))));
  }

  private boolean allows(String source, String answerer, int port) throws Exception {
    return node.allows(tcpKind(source, answerer, port, answerer, port, false));
  }

  private boolean allowsLed(String source, String to, int toPort, String answerer, int port)
      throws Exception {
    return node.allows(tcpKind(source, to, toPort, answerer, port, false));
  }

  private static FlowKind tcpKind(
      String source, String to, int toPort, String answerer, int port, boolean pickedUp) {
    return new FlowKind(
        IpAddress.parse(source),
        pickedUp ? 80 : 0,
        IpAddress.parse(to),
        toPort,
        IpAddress.parse(answerer),
        port,
        TCP,
        0,
        0,
        pickedUp);
  }

  private static HostFixtures eth0() {
    return host("eth0").withNormal(List.of(tier("in")), List.of(tier("out")));
  }

  @Test
  void the_nodes_own_are_judged_by_direction_and_failsafes_stay() throws Exception {
    assertThat(allows(PEER, NODE, 81)).as("without an endpoint").isTrue();
    node.apply(eth0().update());
    assertThat(allows(PEER, NODE, 80)).isTrue();
    assertThat(allows(PEER, NODE, 81)).isFalse();
    assertThat(allows(PEER, NODE, 22)).as("failsafe").isTrue();
    assertThat(allows(NODE, PEER, 90)).isTrue();
    assertThat(allows(NODE, PEER, 80)).isFalse();
    assertThat(allows(NODE, PEER, 2379)).as("failsafe").isTrue();
    assertThat(allows("2001:db8::7", "2001:db8::1", 81)).isFalse();
    assertThat(allows("2001:db8::7", "2001:db8::1", 80)).isTrue();
    assertThat(node.of(tcpKind(PEER, NODE, 81, NODE, 81, false))).isEqualTo(Verdict.DENIED_BY_HOST);

    node.firewall.setHostProtection(new HostProtection(ToHostAction.ACCEPT, List.of(), List.of()));
    node.apply();
    assertThat(allows(PEER, NODE, 22)).isFalse();
    assertThat(allows(NODE, PEER, 2379)).isFalse();
  }

  @Test
  void the_node_and_its_pods_and_itself_are_none_of_it() throws Exception {
    node.apply(all().update());
    node.firewall.setHostProtection(new HostProtection(ToHostAction.DROP, List.of(), List.of()));
    node.apply();
    assertThat(allows(PEER, NODE, 81)).isFalse();
    assertThat(allows(NODE, POD, 81)).isTrue();
    assertThat(allows(POD, NODE, 81)).isTrue();
    assertThat(allows(NODE, NODE_INSIDE, 81)).isTrue();
    assertThat(allows("127.0.0.1", "127.0.0.1", 81)).isTrue();
    assertThat(allows(PEER, POD, 81)).as("forwarded").isTrue();
  }

  @Test
  void an_interface_that_no_endpoint_has_is_its_who_stands_for_all() throws Exception {
    node.apply(eth0().update());
    assertThat(allows(INSIDE, NODE_INSIDE, 81)).isTrue();
    assertThat(allows(NODE_INSIDE, INSIDE, 81)).isTrue();
    node.apply(all().update());
    assertThat(allows(INSIDE, NODE_INSIDE, 81)).isFalse();
    assertThat(allows(NODE_INSIDE, INSIDE, 81)).isFalse();
    assertThat(allows(PEER, NODE, 80)).isTrue();
  }

  @ParameterizedTest
  @CsvSource({"''", "lo", "eth1", "'eth0,eth1'"})
  void nothing_is_denied_where_the_way_is_in_doubt(String names) throws Exception {
    node.apply(eth0().update());
    node.way(PEER, names.isEmpty() ? new String[0] : names.split(","));
    assertThat(allows(PEER, NODE, 81)).isTrue();
    assertThat(allows(NODE, PEER, 81)).isTrue();
  }

  /// By routes that depend on the address answers leave from, or by none that one could know.
  @Test
  void the_interface_that_has_the_nodes_address_may_be_meant_too() throws Exception {
    node.apply(eth0().update());
    assertThat(allows(PEER, NODE, 81)).isFalse();
    assertThat(allows(PEER, NODE_INSIDE, 81)).isTrue();
    assertThat(allows(NODE_INSIDE, PEER, 81)).isTrue();
    node.apply(all().update());
    assertThat(allows(PEER, NODE_INSIDE, 81)).isFalse();
  }

  @Test
  void what_goes_through_is_judged_by_forward_policy_of_each_side() throws Exception {
    node.apply(eth0().update());
    assertThat(allows(PEER, INSIDE, 81)).as("no such policy").isTrue();
    node.apply(host("eth0").withForwarded(List.of(tier("in")), List.of(tier("out"))).update());
    assertThat(allows(PEER, INSIDE, 80)).isTrue();
    assertThat(allows(PEER, INSIDE, 81)).isFalse();
    assertThat(allows(PEER, POD, 80)).isTrue();
    assertThat(allows(PEER, POD, 81)).isFalse();
    assertThat(allows(INSIDE, PEER, 90)).isTrue();
    assertThat(allows(INSIDE, PEER, 80)).isFalse();
    assertThat(allows(POD, PEER, 90)).isTrue();
    assertThat(allows(POD, PEER, 80)).isFalse();
    assertThat(allows(POD, INSIDE, 80)).isTrue();
    assertThat(allows(PEER, INSIDE, 22)).as("no failsafe").isFalse();
    node.way(INSIDE);
    assertThat(allows(PEER, INSIDE, 81)).as("it may be the node's own").isTrue();
  }

  @Test
  void pre_dnat_policy_sees_where_it_was_meant_to_go() throws Exception {
    node.apply(
        ingress(
            "early",
            tcp(0, RuleAction.DENY, ANY, ports(30081)),
            tcp(1, RuleAction.ALLOW, ANY, ports(30080))),
        host("eth0")
            .withPreDnat(early("early"))
            .withNormal(List.of(tier("in")), List.of())
            .withForwarded(List.of(tier("in")), List.of())
            .update());
    assertThat(allowsLed(PEER, NODE, 30081, POD, 80)).isFalse();
    assertThat(allowsLed(PEER, NODE, 30080, POD, 443)).as("allowed before").isTrue();
    assertThat(allowsLed(PEER, NODE, 30082, POD, 443)).isFalse();
    assertThat(allowsLed(PEER, NODE, 30082, POD, 80)).isTrue();
    assertThat(allows(PEER, NODE, 30081)).isFalse();
    assertThat(allows(PEER, NODE, 30080)).isTrue();
  }

  /// IPVS takes it at the input hook, and what it sends on meets the output hook.
  @Test
  void what_a_virtual_address_of_the_node_led_elsewhere_is_left_alone() throws Exception {
    node.apply(host("eth0").withForwarded(List.of(tier("in")), List.of(tier("in"))).update());
    node.has("10.96.0.9");
    assertThat(allowsLed(PEER, "10.96.0.9", 81, POD, 81)).as("one of the node's own").isFalse();
    node.hasVirtual("10.96.0.9");
    assertThat(allowsLed(PEER, "10.96.0.9", 81, POD, 81)).isTrue();
    assertThat(allowsLed(POD, "10.96.0.9", 81, PEER, 81)).isTrue();
    assertThat(allowsLed(PEER, NODE, 81, POD, 81)).isFalse();
  }

  @Test
  void a_translated_connection_of_the_node_is_judged_by_where_it_goes() throws Exception {
    node.apply(eth0().update());
    node.way("10.96.0.1", "eth1");
    assertThat(allowsLed(NODE, "10.96.0.1", 80, PEER, 90)).isTrue();
    assertThat(allowsLed(NODE, "10.96.0.1", 90, PEER, 80)).isFalse();
  }

  @Test
  void what_goes_untracked_is_nobodys() throws Exception {
    node.apply(
        ingress("free", tcp(0, RuleAction.ALLOW, ANY, ports(7000))),
        egress("freed", tcp(0, RuleAction.ALLOW, ANY, ports(7001))),
        eth0().withUntracked(List.of(early("free")), List.of(early("freed"))).update());
    assertThat(allows(PEER, NODE, 7000)).isTrue();
    assertThat(allows(PEER, NODE, 7001)).isFalse();
    assertThat(allows(NODE, PEER, 7001)).isTrue();
    assertThat(allows(NODE, PEER, 7000)).isFalse();
  }

  @Test
  void one_that_was_seen_in_its_middle_first_may_have_begun_at_either_end() throws Exception {
    node.apply(eth0().update());
    // Its first packet was an answer: from the node's port 80.
    assertThat(node.of(tcpKind(NODE, PEER, 40_000, PEER, 40_000, false)))
        .isEqualTo(Verdict.DENIED_BY_HOST);
    assertThat(node.of(tcpKind(NODE, PEER, 40_000, PEER, 40_000, true))).isEqualTo(Verdict.ALLOWED);
    node.apply(ingress("in", tcp(0, RuleAction.ALLOW, ANY, ports(81))));
    assertThat(node.of(tcpKind(NODE, PEER, 40_000, PEER, 40_000, true)))
        .isEqualTo(Verdict.DENIED_BY_HOST);
  }

  @ParameterizedTest
  @CsvSource({
    "198.51.100.7, 224.0.0.251",
    "192.0.2.1,    224.0.0.251",
    "198.51.100.7, 255.255.255.255",
    "0.0.0.0,      255.255.255.255",
    "fe80::7,      2001:db8::1",
    "2001:db8::1,  fe80::7",
    "2001:db8::1,  ff02::fb",
  })
  void what_is_not_between_two_machines_is_left_alone(String source, String to) throws Exception {
    node.apply(all().withForwarded(List.of(tier("in")), List.of(tier("out"))).update());
    node.way(source, "eth0");
    node.way(to, "eth0");
    IpAddress answerer = IpAddress.parse(to);
    assertThat(
            node.of(
                new FlowKind(
                    IpAddress.parse(source), 0, answerer, 5353, answerer, 5353, UDP, 0, 0, false)))
        .isEqualTo(Verdict.ALLOWED);
  }

  /// By the link that has the node's own; a neighbour may have its address on any.
  @Test
  void between_link_local_addresses_the_nodes_own_says_which_link_it_is() throws Exception {
    String own = "fe80::1";
    String neighbour = "fe80::7";
    node.has(own, "eth0");
    node.way(neighbour, "eth1");
    node.apply(eth0().update());
    assertThat(allows(neighbour, own, 80)).isTrue();
    assertThat(allows(neighbour, own, 81)).isFalse();
    assertThat(allows(own, neighbour, 90)).isTrue();
    assertThat(allows(own, neighbour, 80)).isFalse();
    assertThat(allows(neighbour, own, 22)).as("failsafe").isTrue();
    for (String other : List.of("eth1", "cali1")) {
      node.has(own, "eth0", other);
      assertThat(allows(neighbour, own, 81)).as("it may be %s", other).isTrue();
      assertThat(allows(own, neighbour, 80)).as("it may be %s", other).isTrue();
    }
    node.has(own);
    assertThat(allows(neighbour, own, 81)).as("on no link").isTrue();
  }

  @Test
  void a_pods_own_policy_is_named_first() throws Exception {
    node.apply(
        endpoint(1, List.of(tier("in")), List.of(), "open"),
        ingress("none", rule(0, RuleAction.DENY, ANY, ANY)),
        host("eth0").withForwarded(List.of(tier("none")), List.of()).update());
    assertThat(node.of(tcpKind(PEER, POD, 81, POD, 81, false)))
        .isEqualTo(Verdict.DENIED_BY_WORKLOAD);
    assertThat(node.of(tcpKind(PEER, POD, 80, POD, 80, false))).isEqualTo(Verdict.DENIED_BY_HOST);
  }
}
