package io.margay.agent.firewall;

import static io.margay.agent.firewall.FirewallNamespaces.answers;
import static io.margay.agent.firewall.FirewallNamespaces.v4;
import static io.margay.agent.firewall.FirewallNamespaces.v6;
import static io.margay.agent.firewall.PolicyFixtures.ANY;
import static io.margay.agent.firewall.PolicyFixtures.egress;
import static io.margay.agent.firewall.PolicyFixtures.endpoint;
import static io.margay.agent.firewall.PolicyFixtures.inSet;
import static io.margay.agent.firewall.PolicyFixtures.ingress;
import static io.margay.agent.firewall.PolicyFixtures.key;
import static io.margay.agent.firewall.PolicyFixtures.ports;
import static io.margay.agent.firewall.PolicyFixtures.profile;
import static io.margay.agent.firewall.PolicyFixtures.set;
import static io.margay.agent.firewall.PolicyFixtures.tcp;
import static io.margay.agent.firewall.PolicyFixtures.tier;
import static io.margay.agent.firewall.PolicyFixtures.withHostPorts;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.agent.dataplane.HostPortFlows;
import io.margay.linux.conntrack.Conntrack;
import io.margay.linux.nft.NftOutcome;
import io.margay.linux.nft.NftTable;
import io.margay.linux.nft.NftTable.Ownership;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.policy.HostPort;
import io.margay.policy.PolicyUpdate;
import io.margay.policy.RuleAction;
import io.margay.policy.TierPolicies;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Ports of the node against real packets: from outside, from another pod, from the node itself,
/// and from the very pod they lead to.
@Tag("netns")
final class HostPortPacketTest {

  private static final int TCP = 6;
  private static final int UDP = 17;
  private static final int NODE = 0;
  private static final int OUTSIDE = 3;
  private static final HostPort WEB = new HostPort(TCP, null, 8080, 80);
  private static final HostPort DNS = new HostPort(UDP, null, 53, 5353);
  private static final String NODE_IPV4 = "192.0.2.1";
  private static final String NODE_IPV6 = "2001:db8::1";

  private FirewallNamespaces lab;
  private NftTable table;
  private FirewallManager firewall;
  private Conntrack conntrack;

  @BeforeEach
  void raise() throws Exception {
    lab = new FirewallNamespaces(2);
    lab.addOutside();
    conntrack = lab.conntrack();
    table = new NftTable(lab.nftables(), "margay", Ownership.NEVER);
    firewall = new FirewallManager(table, FirewallSettings.DEFAULT);
    firewall.tellHostPortMoves(
        new HostPortFlows(
            conntrack,
            () ->
                Set.of(
                    IpAddress.parse(NODE_IPV4),
                    IpAddress.parse(NODE_IPV6),
                    IpAddress.parse("127.0.0.1"))));
  }

  @AfterEach
  void clean() throws Exception {
    conntrack.close();
    table.close();
    lab.close();
  }

  private void apply(PolicyUpdate... updates) throws Exception {
    for (PolicyUpdate update : updates) {
      firewall.onUpdate(update);
    }
    assertThat(firewall.apply()).isNotInstanceOf(NftOutcome.Rebuilt.class);
  }

  private void assertRefused(int from, InetAddress to, int port) {
    assertThatThrownBy(() -> lab.allowed(from, to, port)).isInstanceOf(ConnectException.class);
  }

  private static List<InetAddress> nodeAddresses() throws Exception {
    return List.of(InetAddress.getByName(NODE_IPV4), InetAddress.getByName(NODE_IPV6));
  }

  private int flows(IpFamily family, int protocol, int port) throws Exception {
    List<Object> seen = new ArrayList<>();
    conntrack.deleteFlows(
        family,
        protocol,
        port,
        flow -> {
          if (!flow.isUntranslated()) {
            seen.add(flow);
          }
          return false;
        });
    return seen.size();
  }

  @Test
  void a_port_of_the_node_leads_to_the_pod_from_everywhere() throws Exception {
    lab.listen(1, 80);
    lab.in("r", "sysctl -qw net.ipv4.conf.cali1.route_localnet=1");
    InetAddress loopback = InetAddress.ofLiteral("127.0.0.1");
    apply(profile("open", RuleAction.ALLOW), endpoint(2, List.of(), List.of(), "open"));
    for (InetAddress node : nodeAddresses()) {
      assertRefused(OUTSIDE, node, 8080);
    }
    apply(withHostPorts(1, WEB));
    for (InetAddress node : nodeAddresses()) {
      assertThat(lab.allowed(OUTSIDE, node, 8080)).as("from outside to %s", node).isTrue();
      assertThat(lab.allowed(2, node, 8080)).as("from another pod").isTrue();
      assertThat(lab.allowed(NODE, node, 8080)).as("from the node").isTrue();
      assertThat(lab.allowed(1, node, 8080)).as("from itself").isTrue();
    }
    assertThat(lab.allowed(NODE, loopback, 8080)).as("from the node to localhost").isTrue();
    assertRefused(NODE, InetAddress.ofLiteral("::1"), 8080);
    assertThat(flows(IpFamily.IPV4, TCP, 8080)).isGreaterThanOrEqualTo(5);

    assertThat(restarted(withHostPorts(1, WEB))).isEqualTo(new NftOutcome.Unchanged());
    apply(new PolicyUpdate.EndpointRemoved(key(1)));
    for (InetAddress node : nodeAddresses()) {
      assertRefused(OUTSIDE, node, 8080);
      assertRefused(NODE, node, 8080);
    }
    assertRefused(NODE, loopback, 8080);
    assertThat(flows(IpFamily.IPV4, TCP, 8080)).isZero();
    assertThat(flows(IpFamily.IPV6, TCP, 8080)).isZero();
  }

  /// What a process without memory does to the kernel.
  private NftOutcome restarted(PolicyUpdate mapped) throws Exception {
    table.close();
    table = new NftTable(lab.nftables(), "margay", Ownership.NEVER);
    firewall = new FirewallManager(table, FirewallSettings.DEFAULT);
    firewall.onUpdate(profile("open", RuleAction.ALLOW));
    firewall.onUpdate(endpoint(2, List.of(), List.of(), "open"));
    firewall.onUpdate(mapped);
    NftOutcome outcome = firewall.apply();
    firewall.tellHostPortMoves(new HostPortFlows(conntrack, Set::of));
    return outcome;
  }

  @Test
  void policy_sees_the_pod_and_an_address_leads_alone() throws Exception {
    lab.listen(1, 80);
    HostPort here = new HostPort(TCP, IpAddress.parse("10.99.0.1"), 8080, 80);
    apply(
        profile("open", RuleAction.ALLOW),
        endpoint(2, List.of(), List.of(), "open"),
        withHostPorts(1, here));
    lab.in("o", "ip route add 10.99.0.1 via 192.0.2.1");
    InetAddress mapped = InetAddress.getByName("10.99.0.1");
    assertThat(lab.allowed(OUTSIDE, mapped, 8080)).isTrue();
    assertRefused(OUTSIDE, InetAddress.getByName(NODE_IPV4), 8080);
    apply(profile("open", RuleAction.DENY));
    assertThat(lab.dropped(OUTSIDE, mapped, 8080)).as("ingress of the pod denies").isTrue();
  }

  /// What a pod asks itself this way is a connection like any other. Policy sees who asks before
  /// the node's address is put in its place.
  @Test
  void a_pod_reaches_itself_by_its_own_port_of_the_node_as_far_as_its_policy_lets_it()
      throws Exception {
    lab.listen(1, 80);
    apply(
        profile("open", RuleAction.ALLOW),
        set("s:itself", "10.65.0.1", "fd00:65::1"),
        set("s:node", NODE_IPV4, NODE_IPV6),
        ingress("closed"),
        ingress("from-itself", tcp(0, RuleAction.ALLOW, inSet("s:itself"), ports(80))),
        ingress("from-node", tcp(0, RuleAction.ALLOW, inSet("s:node"), ports(80))),
        egress("to-itself", tcp(0, RuleAction.ALLOW, ANY, inSet("s:itself"))),
        egress("to-node", tcp(0, RuleAction.ALLOW, ANY, inSet("s:node"))));

    assertItselfIsReached(false, List.of(tier("closed")), List.of());
    assertItselfIsReached(true, List.of(tier("from-itself")), List.of(tier("to-itself")));
    assertItselfIsReached(false, List.of(tier("from-node")), List.of());
    assertItselfIsReached(false, List.of(), List.of(tier("to-node")));
  }

  private void assertItselfIsReached(
      boolean expected, List<TierPolicies> ingress, List<TierPolicies> egress) throws Exception {
    apply(withHostPorts(1, ingress, egress, WEB));
    for (InetAddress node : nodeAddresses()) {
      boolean holds = expected ? lab.allowed(1, node, 8080) : lab.dropped(1, node, 8080);
      assertThat(holds).as("%s under %s and %s", node, ingress, egress).isTrue();
    }
    // This never leaves the pod.
    assertThat(lab.allowed(1, v4(1), 80)).isTrue();
    assertThat(lab.allowed(1, v6(1), 80)).isTrue();
  }

  @Test
  void a_pod_does_not_reach_what_listens_on_localhost_for_the_node_alone() throws Exception {
    lab.in("r", "sysctl -qw net.ipv4.conf.cali1.route_localnet=1");
    lab.in("p1", "ip route add 127.0.0.53 via 169.254.1.1 dev eth0 table 7");
    lab.in("p1", "ip rule add to 127.0.0.53 lookup 7 pref 0");
    lab.in("p1", "ip rule add lookup local pref 1");
    lab.in("p1", "ip rule del lookup local pref 0");
    lab.in("p1", "sysctl -qw net.ipv4.conf.eth0.route_localnet=1");
    lab.listen(NODE, 80);
    apply(profile("open", RuleAction.ALLOW), withHostPorts(1, WEB));
    assertThat(lab.allowed(1, InetAddress.getByName("10.99.0.1"), 80)).isTrue();
    assertThat(lab.dropped(1, InetAddress.getByName("127.0.0.53"), 80)).isTrue();
    assertThat(lab.in("r", "nft list chain ip margay egress"))
        .containsPattern("counter packets [1-9]\\d* bytes \\d+ drop comment \"egress.loopback");
  }

  @Test
  void a_udp_client_with_one_source_port_follows_its_port_from_pod_to_pod() throws Exception {
    for (InetAddress node : nodeAddresses()) {
      boolean ipv4 = node.getAddress().length == 4;
      IpFamily family = ipv4 ? IpFamily.IPV4 : IpFamily.IPV6;
      InetSocketAddress to = new InetSocketAddress(node, 53);
      DatagramChannel client =
          lab.udp(
              OUTSIDE,
              new InetSocketAddress(
                  InetAddress.getByName(ipv4 ? "192.0.2.2" : "2001:db8::2"), 4000));
      DatagramChannel local = lab.udp(NODE, new InetSocketAddress(node, 4001));
      DatagramChannel self = lab.udp(1, new InetSocketAddress(ipv4 ? v4(1) : v6(1), 4002));
      DatagramChannel one = lab.udp(1, new InetSocketAddress(ipv4 ? v4(1) : v6(1), 5353));
      DatagramChannel two = lab.udp(2, new InetSocketAddress(ipv4 ? v4(2) : v6(2), 5353));
      apply(
          profile("open", RuleAction.ALLOW),
          endpoint(1, List.of(), List.of(), "open"),
          endpoint(2, List.of(), List.of(), "open"));
      // Nobody listens yet, and the flow is known as one to the node.
      client.send(ByteBuffer.wrap(new byte[1]), to);
      local.send(ByteBuffer.wrap(new byte[1]), to);

      apply(withHostPorts(1, DNS));
      assertThat(answers(client, to, one)).isTrue();
      assertThat(answers(local, to, one)).as("from the node").isTrue();
      assertThat(answers(self, to, one)).as("from the pod itself").isTrue();

      apply(endpoint(1, List.of(), List.of(), "open"), withHostPorts(2, DNS));
      assertThat(answers(client, to, two)).as("the same source port").isTrue();
      assertThat(answers(local, to, two)).as("the same source port").isTrue();

      apply(new PolicyUpdate.EndpointRemoved(key(2)));
      assertThat(flows(family, UDP, 53)).isZero();
    }
  }
}
