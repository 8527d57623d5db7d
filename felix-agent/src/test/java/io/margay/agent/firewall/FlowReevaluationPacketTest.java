package io.margay.agent.firewall;

import static io.margay.agent.firewall.FirewallNamespaces.echoes;
import static io.margay.agent.firewall.FirewallNamespaces.v4;
import static io.margay.agent.firewall.FirewallNamespaces.v6;
import static io.margay.agent.firewall.PolicyFixtures.ANY;
import static io.margay.agent.firewall.PolicyFixtures.ICMP;
import static io.margay.agent.firewall.PolicyFixtures.SCTP;
import static io.margay.agent.firewall.PolicyFixtures.change;
import static io.margay.agent.firewall.PolicyFixtures.egress;
import static io.margay.agent.firewall.PolicyFixtures.endpoint;
import static io.margay.agent.firewall.PolicyFixtures.inSet;
import static io.margay.agent.firewall.PolicyFixtures.ingress;
import static io.margay.agent.firewall.PolicyFixtures.key;
import static io.margay.agent.firewall.PolicyFixtures.members;
import static io.margay.agent.firewall.PolicyFixtures.notInSet;
import static io.margay.agent.firewall.PolicyFixtures.ports;
import static io.margay.agent.firewall.PolicyFixtures.profile;
import static io.margay.agent.firewall.PolicyFixtures.protocol;
import static io.margay.agent.firewall.PolicyFixtures.rule;
import static io.margay.agent.firewall.PolicyFixtures.set;
import static io.margay.agent.firewall.PolicyFixtures.spoofing;
import static io.margay.agent.firewall.PolicyFixtures.tcp;
import static io.margay.agent.firewall.PolicyFixtures.tier;
import static io.margay.agent.firewall.PolicyFixtures.withHostPorts;
import static io.margay.agent.firewall.Silence.isSilent;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.agent.settings.PolicyChangeMode;
import io.margay.linux.conntrack.Connection;
import io.margay.linux.conntrack.Conntrack;
import io.margay.linux.netlink.NetlinkSocket;
import io.margay.linux.nft.NftTable.Ownership;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.policy.EndpointPolicy;
import io.margay.policy.HostPort;
import io.margay.policy.PolicyUpdate;
import io.margay.policy.RuleAction;
import io.margay.policy.SetId;
import io.margay.policy.TierPolicies;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Connections that are open while policy changes, by real sockets: what is denied now stops, what
/// is allowed goes on.
@Tag("netns")
final class FlowReevaluationPacketTest {

  /// What does not come has been dropped; it would be there at once.
  private static final int WEB = 80;

  private static final int TLS = 443;
  private static final int WEB_LISTENER = 0;
  private static final int WEB_LISTENER_IPV6 = 1;
  private static final int TLS_LISTENER = 2;
  private static final int NODE = 0;
  private static final int OUTSIDE = 4;
  private static final List<TierPolicies> NO_TIERS = List.of();

  private FirewallNamespaces lab;
  private FlowAgent agent;

  @BeforeEach
  void raise() throws Exception {
    lab = new FirewallNamespaces(3);
    lab.addOutside();
    lab.listen(1, WEB);
    lab.listen(1, TLS);
    agent = new FlowAgent(lab, PolicyChangeMode.REEVALUATE, Ownership.WHERE_PERSISTENT);
  }

  @AfterEach
  void clean() throws Exception {
    agent.close();
    lab.close();
  }

  private static PolicyUpdate podOne(String... policies) {
    return endpoint(1, List.of(tier(policies)), NO_TIERS, "open");
  }

  private static PolicyUpdate free(int pod) {
    return endpoint(pod, NO_TIERS, NO_TIERS, "open");
  }

  private static PolicyUpdate allowPorts(int... ports) {
    return ingress("p", tcp(0, RuleAction.ALLOW, ANY, ports(ports)));
  }

  /// Pod 1 under policy `p`, pods 2 and 3 free.
  private void begin(PolicyUpdate... updates) {
    agent.begin(profile("open", RuleAction.ALLOW));
    agent.apply(updates);
    agent.apply(podOne("p"), free(2), free(3));
  }

  @Test
  void a_flow_newly_denied_stops_though_its_server_keeps_sending_and_others_live_on()
      throws Exception {
    begin(allowPorts(WEB, TLS));
    SocketChannel client = lab.open(2, v4(1), WEB);
    SocketChannel server = lab.accept(WEB_LISTENER);
    SocketChannel other = lab.open(2, v4(1), TLS);
    SocketChannel otherServer = lab.accept(TLS_LISTENER);
    SocketChannel client6 = lab.open(3, v6(1), WEB);
    SocketChannel server6 = lab.accept(WEB_LISTENER_IPV6);
    assertThat(echoes(server, client)).isTrue();
    assertThat(echoes(server6, client6)).isTrue();

    agent.apply(allowPorts(TLS));
    agent.awaitCut(2);
    assertThat(isSilent(server, client)).isTrue();
    assertThat(isSilent(client, server)).isTrue();
    assertThat(isSilent(server6, client6)).as("IPv6").isTrue();
    assertThat(echoes(otherServer, other)).isTrue();
    assertThat(echoes(other, otherServer)).isTrue();
    assertThat(agent.flows.cut()).isEqualTo(2);
  }

  @Test
  void more_connections_than_may_be_held_are_gone_through_in_parts() throws Exception {
    agent.close();
    agent =
        new FlowAgent(
            lab,
            lab.nftables(),
            PolicyChangeMode.REEVALUATE,
            Ownership.WHERE_PERSISTENT,
            3,
            FlowAgent.NO_GLANCE);
    begin(allowPorts(WEB, TLS));
    List<SocketChannel> servers = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      lab.open(2, v4(1), WEB);
      servers.add(lab.accept(WEB_LISTENER));
    }
    SocketChannel other = lab.open(2, v4(1), TLS);
    SocketChannel otherServer = lab.accept(TLS_LISTENER);
    agent.apply(allowPorts(TLS));
    agent.awaitCut(20);
    assertThat(echoes(otherServer, other)).isTrue();
    assertThat(servers).hasSize(20);

    // Those of an address that is freed, likewise.
    try (Conntrack conntrack = lab.conntrack()) {
      agent.apply(new PolicyUpdate.EndpointRemoved(key(2)));
      agent.loop.await(() -> tracked(conntrack, "10.65.0.2"), count -> count == 0);
    }
  }

  @Test
  void in_mode_keep_flows_live_on_and_new_ones_are_denied() throws Exception {
    agent.close();
    agent = new FlowAgent(lab, PolicyChangeMode.KEEP, Ownership.WHERE_PERSISTENT);
    begin(allowPorts(WEB));
    SocketChannel client = lab.open(2, v4(1), WEB);
    SocketChannel server = lab.accept(WEB_LISTENER);
    agent.apply(allowPorts(TLS));
    assertThat(lab.dropped(2, v4(1), WEB)).isTrue();
    assertThat(echoes(server, client)).isTrue();
    assertThat(echoes(client, server)).isTrue();
    assertThat(agent.flows.cut()).isZero();
  }

  @Test
  void one_that_leaves_a_set_is_cut_off_and_one_that_stays_is_not() throws Exception {
    begin(
        set("s:clients", "10.65.0.2", "10.65.0.3"),
        ingress("p", tcp(0, RuleAction.ALLOW, inSet("s:clients"), ANY)));
    SocketChannel two = lab.open(2, v4(1), WEB);
    SocketChannel atTwo = lab.accept(WEB_LISTENER);
    SocketChannel three = lab.open(3, v4(1), WEB);
    SocketChannel atThree = lab.accept(WEB_LISTENER);
    agent.apply(change("s:clients", members(), members("10.65.0.2")));
    agent.awaitCut(1);
    assertThat(isSilent(atTwo, two)).isTrue();
    assertThat(echoes(atThree, three)).isTrue();
  }

  @Test
  void one_that_comes_to_an_excluded_set_is_cut_off() throws Exception {
    begin(
        set("s:bad", "192.0.2.0/24"),
        ingress("p", tcp(0, RuleAction.ALLOW, notInSet("s:bad"), ANY)));
    SocketChannel two = lab.open(2, v4(1), WEB);
    SocketChannel atTwo = lab.accept(WEB_LISTENER);
    SocketChannel three = lab.open(3, v4(1), WEB);
    SocketChannel atThree = lab.accept(WEB_LISTENER);
    agent.apply(change("s:bad", members("10.65.0.2/31", "10.65.0.2"), members()));
    agent.awaitCut(2);
    assertThat(isSilent(atTwo, two)).isTrue();
    assertThat(isSilent(atThree, three)).isTrue();
  }

  @Test
  void egress_denied_at_the_source_stops_a_flow_out_of_the_node() throws Exception {
    lab.in("o", "ip addr add fd00:65::4/128 dev eth0 nodad");
    lab.listen(OUTSIDE, WEB);
    lab.in("o", "ip route add 10.65.0.0/24 via 192.0.2.1");
    begin(allowPorts(WEB));
    InetAddress outside = InetAddress.getByName("192.0.2.2");
    SocketChannel client = lab.open(2, outside, WEB);
    SocketChannel server = lab.accept(4);
    agent.apply(
        egress("out", tcp(0, RuleAction.ALLOW, ANY, ports(TLS))),
        endpoint(2, NO_TIERS, List.of(tier("out")), "open"));
    agent.awaitCut(1);
    assertThat(isSilent(server, client)).isTrue();
  }

  @Test
  void a_flow_by_a_port_of_the_node_is_judged_where_it_leads() throws Exception {
    HostPort web = new HostPort(PolicyFixtures.TCP, null, 8080, WEB);
    HostPort tls = new HostPort(PolicyFixtures.TCP, null, 8443, TLS);
    PolicyUpdate.EndpointUpdated mapped = (PolicyUpdate.EndpointUpdated) withHostPorts(1, web, tls);
    agent.begin(profile("open", RuleAction.ALLOW), mapped);
    InetAddress node = InetAddress.getByName("192.0.2.1");
    SocketChannel client = lab.open(OUTSIDE, node, 8080);
    SocketChannel server = lab.accept(WEB_LISTENER);
    SocketChannel other = lab.open(OUTSIDE, node, 8443);
    SocketChannel otherServer = lab.accept(TLS_LISTENER);
    SocketChannel fromNode = lab.open(NODE, node, 8080);
    SocketChannel toNode = lab.accept(WEB_LISTENER);
    assertThat(echoes(client, server)).isTrue();

    agent.apply(
        allowPorts(TLS),
        new PolicyUpdate.EndpointUpdated(
            mapped.key(),
            new EndpointPolicy(
                mapped.policy().interfaceName(),
                mapped.policy().addresses(),
                List.of(tier("p")),
                List.of(),
                mapped.policy().profiles(),
                mapped.policy().hostPorts(),
                mapped.policy().spoofable())));
    agent.awaitCut(1);
    assertThat(isSilent(server, client)).isTrue();
    assertThat(echoes(otherServer, other)).isTrue();
    assertThat(echoes(fromNode, toNode)).as("the node's own").isTrue();
    assertThat(agent.flows.cut()).isEqualTo(1);
  }

  @Test
  void the_nodes_own_flows_to_a_pod_are_never_cut() throws Exception {
    begin(allowPorts(WEB));
    SocketChannel probe = lab.open(NODE, v4(1), TLS);
    SocketChannel atProbe = lab.accept(TLS_LISTENER);
    SocketChannel client = lab.open(2, v4(1), WEB);
    SocketChannel server = lab.accept(WEB_LISTENER);
    agent.apply(allowPorts(22));
    agent.awaitCut(1);
    assertThat(isSilent(server, client)).isTrue();
    assertThat(echoes(probe, atProbe)).isTrue();
  }

  @Test
  void an_allowed_flow_is_never_cut_whatever_else_changes() throws Exception {
    begin(
        set("s:clients", "10.65.0.2"),
        set("s:bad", "192.0.2.77"),
        ingress("p", tcp(0, RuleAction.ALLOW, inSet("s:clients"), ports(WEB))));
    SocketChannel client = lab.open(2, v4(1), WEB);
    SocketChannel server = lab.accept(WEB_LISTENER);
    for (int round = 0; round < 40; round++) {
      agent.apply(change("s:clients", members("10.65.0.3"), members()));
      agent.apply(
          ingress(
              "p",
              rule(0, RuleAction.DENY, inSet("s:bad"), ANY),
              tcp(1, RuleAction.ALLOW, inSet("s:clients"), ports(WEB, 1000 + round))));
      agent.apply(change("s:bad", members("192.0.2." + round), members()));
      agent.apply(change("s:clients", members(), members("10.65.0.3")));
      agent.apply(ingress("q", rule(0, RuleAction.DENY, ANY, ANY)), podOne("p", "q"));
      // In one step, from one rule and set to another that allows the same.
      agent.apply(
          set("s:new", "10.65.0.2"),
          ingress("p", tcp(0, RuleAction.ALLOW, inSet("s:new"), ports(WEB))),
          podOne("p"),
          new PolicyUpdate.PolicyRemoved(PolicyFixtures.policy("q")),
          new PolicyUpdate.SetRemoved(new SetId("s:clients")));
      agent.apply(
          set("s:clients", "10.65.0.2"),
          ingress("p", tcp(0, RuleAction.ALLOW, inSet("s:clients"), ports(WEB))),
          new PolicyUpdate.SetRemoved(new SetId("s:new")));
      assertThat(echoes(server, client)).isTrue();
      assertThat(echoes(client, server)).isTrue();
    }
    SocketChannel denied = lab.open(2, v4(1), WEB);
    SocketChannel atDenied = lab.accept(WEB_LISTENER);
    agent.apply(change("s:clients", members(), members("10.65.0.2")));
    agent.awaitCut(2);
    assertThat(isSilent(atDenied, denied)).as("all rounds have been gone through").isTrue();
  }

  @Test
  void an_agent_that_starts_cuts_what_was_denied_while_there_was_none() throws Exception {
    begin(allowPorts(WEB, TLS));
    SocketChannel client = lab.open(2, v4(1), WEB);
    SocketChannel server = lab.accept(WEB_LISTENER);
    SocketChannel other = lab.open(3, v4(1), TLS);
    SocketChannel otherServer = lab.accept(TLS_LISTENER);
    agent.close();
    assertThat(echoes(server, client)).isTrue();
    agent = new FlowAgent(lab, PolicyChangeMode.REEVALUATE, Ownership.WHERE_PERSISTENT);
    agent.begin(profile("open", RuleAction.ALLOW), allowPorts(TLS), podOne("p"), free(2), free(3));
    agent.awaitCut(1);
    assertThat(isSilent(server, client)).isTrue();
    assertThat(echoes(otherServer, other)).isTrue();
  }

  @Test
  void a_new_pod_does_not_inherit_what_an_agent_before_left_of_its_addresss_owner()
      throws Exception {
    lab.in("o", "ip route add 10.65.0.0/24 via 192.0.2.1");
    begin(allowPorts(WEB));
    SocketChannel client = lab.open(OUTSIDE, v4(1), WEB);
    SocketChannel server = lab.accept(WEB_LISTENER);
    assertThat(echoes(server, client)).isTrue();
    agent.close();
    agent = new FlowAgent(lab, PolicyChangeMode.REEVALUATE, Ownership.WHERE_PERSISTENT);
    // Its first look is had without pod 1.
    agent.begin(profile("open", RuleAction.ALLOW), allowPorts(TLS), free(2));
    agent.apply(podOne("p"));
    agent.awaitCut(1);
    assertThat(isSilent(server, client)).isTrue();
  }

  @Test
  void udp_stops_from_the_side_that_began_and_the_other_may_begin_anew_if_it_may()
      throws Exception {
    begin(ingress("p", rule(0, RuleAction.ALLOW, ANY, ANY)));
    InetSocketAddress to = new InetSocketAddress(v4(1), 5353);
    DatagramChannel client = lab.udp(2, new InetSocketAddress(v4(2), 4000));
    DatagramChannel server = lab.udp(1, to);
    assertThat(FirewallNamespaces.answers(client, to, server)).isTrue();
    agent.apply(allowPorts(WEB));
    agent.awaitCut(1);
    assertThat(isSilent(client, to, server)).isTrue();
    // Its egress is open, and so is the client's ingress: a connection of its own.
    assertThat(isSilent(server, new InetSocketAddress(v4(2), 4000), client)).isFalse();

    agent.apply(
        egress("out", tcp(0, RuleAction.ALLOW, ANY, ANY)),
        endpoint(1, List.of(tier("p")), List.of(tier("out")), "open"));
    agent.awaitCut(2);
    assertThat(isSilent(server, new InetSocketAddress(v4(2), 4000), client)).isTrue();
  }

  @Test
  void flows_of_prefixes_a_pod_may_send_from_are_judged_at_that_pod() throws Exception {
    lab.in("p2", "ip addr add 203.0.113.2/32 dev lo");
    lab.in("r", "ip route add 203.0.113.0/24 dev cali2");
    lab.listenAt(2, InetAddress.getByName("203.0.113.2"), WEB);
    agent.loop.run(() -> agent.firewall.setMaySpoof(true));
    begin(allowPorts(WEB));
    agent.apply(spoofing(2, "203.0.113.0/24", List.of(), List.of()));
    InetAddress spoofed = InetAddress.getByName("203.0.113.2");
    SocketChannel from = lab.open(2, spoofed, v4(1), WEB);
    SocketChannel atFrom = lab.accept(WEB_LISTENER);
    SocketChannel to = lab.open(3, spoofed, WEB);
    SocketChannel atTo = lab.accept(4);
    SocketChannel other = lab.open(3, v4(1), WEB);
    SocketChannel atOther = lab.accept(WEB_LISTENER);
    assertThat(echoes(from, atFrom)).isTrue();
    assertThat(echoes(to, atTo)).isTrue();

    // By its policy's rules, then by its own change.
    agent.apply(
        egress("out", tcp(0, RuleAction.ALLOW, ANY, ports(WEB))),
        ingress("in", tcp(0, RuleAction.ALLOW, ANY, ports(WEB))),
        spoofing(2, "203.0.113.0/24", List.of(tier("in")), List.of(tier("out"))));
    agent.apply(egress("out", tcp(0, RuleAction.ALLOW, ANY, ports(TLS))));
    agent.awaitCut(1);
    assertThat(isSilent(atFrom, from)).isTrue();
    agent.apply(spoofing(2, "203.0.113.0/24", List.of(tier("in", "out")), List.of()));
    agent.awaitRound();
    assertThat(echoes(to, atTo)).isTrue();
    agent.apply(spoofing(2, "203.0.113.0/24", List.of(tier("out")), List.of()));
    agent.awaitCut(2);
    assertThat(isSilent(atTo, to)).isTrue();
    assertThat(echoes(other, atOther)).isTrue();
  }

  @Test
  void sctp_is_cut_by_its_ports() throws Exception {
    begin(
        ingress(
            "p",
            protocol(0, RuleAction.ALLOW, SCTP, ports(WEB, TLS)),
            tcp(1, RuleAction.ALLOW, ANY, ANY)));
    try (NetlinkSocket tracking = lab.netfilter();
        Conntrack conntrack = lab.conntrack()) {
      for (int port : new int[] {WEB, TLS}) {
        tracking.request(new TrackedFlow(SCTP, "10.65.0.2", 4000, "10.65.0.1", port).creation());
        tracking.request(new TrackedFlow(SCTP, "fd00:65::2", 4000, "fd00:65::1", port).creation());
      }
      agent.apply(
          ingress(
              "p",
              protocol(0, RuleAction.ALLOW, SCTP, ports(TLS)),
              tcp(1, RuleAction.ALLOW, ANY, ANY)));
      agent.awaitCut(2);
      for (IpFamily family : IpFamily.values()) {
        assertThat(conntrack.connections(family, one -> one.protocol() == SCTP))
            .extracting(Connection::answererPort)
            .containsExactly(TLS);
      }
    }
  }

  @Test
  void pings_are_cut_while_they_go_on() throws Exception {
    begin(ingress("p", protocol(0, RuleAction.ALLOW, ICMP, ANY)));
    Process ping = lab.start("p2", List.of("ping", "-q", "-i", "0.05", "10.65.0.1"));
    try (Conntrack conntrack = lab.conntrack()) {
      agent.loop.await(() -> tracked(conntrack, "10.65.0.2"), count -> count == 1);
      agent.apply(ingress("p", protocol(0, RuleAction.DENY, ICMP, ANY)));
      agent.awaitCut(1);
      // It goes on asking, and what is dropped is not tracked.
      agent.awaitRound();
      assertThat(ping.isAlive()).isTrue();
      assertThat(tracked(conntrack, "10.65.0.2")).isZero();
    } finally {
      ping.destroy();
      ping.waitFor();
    }
  }

  private static int tracked(Conntrack conntrack, String address) throws Exception {
    return conntrack.connections(IpFamily.IPV4, Set.of(IpAddress.parse(address))).size();
  }

  @Test
  void connections_of_an_address_are_forgotten_when_its_endpoint_goes() throws Exception {
    for (PolicyChangeMode mode : PolicyChangeMode.values()) {
      agent.close();
      agent = new FlowAgent(lab, mode, Ownership.WHERE_PERSISTENT);
      begin(allowPorts(WEB, TLS));
      SocketChannel client = lab.open(2, v4(1), WEB);
      SocketChannel server = lab.accept(WEB_LISTENER);
      SocketChannel other = lab.open(3, v4(1), TLS);
      SocketChannel otherServer = lab.accept(TLS_LISTENER);
      assertThat(echoes(server, client)).isTrue();
      try (Conntrack conntrack = lab.conntrack()) {
        assertThat(tracked(conntrack, "10.65.0.2")).isPositive();
        agent.apply(new PolicyUpdate.EndpointRemoved(key(2)));
        agent.loop.await(() -> tracked(conntrack, "10.65.0.2"), count -> count == 0);
        // Counted when the round that deleted them has ended, a moment after the kernel's own.
        agent.loop.await(agent.flows::forgotten, count -> count > 0);
      }
      assertThat(echoes(otherServer, other)).isTrue();
    }
  }

  @Test
  void an_endpoint_that_gets_a_freed_address_at_once_inherits_no_connection() throws Exception {
    begin(allowPorts(WEB, TLS));
    SocketChannel client = lab.open(2, v4(1), WEB);
    SocketChannel server = lab.accept(WEB_LISTENER);
    assertThat(echoes(server, client)).isTrue();
    try (Conntrack conntrack = lab.conntrack()) {
      for (int i = 0; i < 20; i++) {
        // Gone and back in one transaction, and in two.
        if (i % 2 == 0) {
          agent.apply(new PolicyUpdate.EndpointRemoved(key(2)), free(2));
        } else {
          agent.apply(new PolicyUpdate.EndpointRemoved(key(2)));
          agent.apply(free(2));
        }
        assertThat(tracked(conntrack, "10.65.0.2")).isZero();
        SocketChannel next = lab.open(2, v4(1), WEB);
        SocketChannel atNext = lab.accept(WEB_LISTENER);
        assertThat(echoes(next, atNext)).as("the new owner's own").isTrue();
        assertThat(echoes(atNext, next)).isTrue();
      }
    }
    assertThat(agent.flows.cut()).isZero();
  }
}
