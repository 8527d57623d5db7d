package io.margay.agent.firewall;

import static io.margay.agent.firewall.FirewallNamespaces.answers;
import static io.margay.agent.firewall.FirewallNamespaces.v4;
import static io.margay.agent.firewall.FirewallNamespaces.v6;
import static io.margay.agent.firewall.PolicyFixtures.ANY;
import static io.margay.agent.firewall.PolicyFixtures.egress;
import static io.margay.agent.firewall.PolicyFixtures.endpoint;
import static io.margay.agent.firewall.PolicyFixtures.inSet;
import static io.margay.agent.firewall.PolicyFixtures.ingress;
import static io.margay.agent.firewall.PolicyFixtures.nets;
import static io.margay.agent.firewall.PolicyFixtures.ports;
import static io.margay.agent.firewall.PolicyFixtures.profile;
import static io.margay.agent.firewall.PolicyFixtures.rule;
import static io.margay.agent.firewall.PolicyFixtures.set;
import static io.margay.agent.firewall.PolicyFixtures.tcp;
import static io.margay.agent.firewall.PolicyFixtures.tier;
import static io.margay.agent.firewall.PolicyFixtures.udp;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.linux.nft.NftOutcome;
import io.margay.linux.nft.NftTable;
import io.margay.linux.nft.NftTable.Ownership;
import io.margay.policy.PeerMatch;
import io.margay.policy.PolicyUpdate;
import io.margay.policy.RuleAction;
import io.margay.policy.SetId;
import io.margay.policy.TierPolicies;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.DatagramChannel;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/// Policy and a service whose address is translated by tables of another program, as kube-proxy's:
/// TCP port 80 of the service is port 8080 of pod 1, and UDP port 53 its port 5353.
@Tag("netns")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class ServicePacketTest {

  private static final int BACKEND = 1;
  private static final int CLIENT = 2;
  private static final int OTHER = 3;
  private static final String IPV4 = "10.96.0.10";
  private static final String IPV6 = "fd00:96::10";

  private FirewallNamespaces lab;
  private NftTable table;
  private FirewallManager firewall;

  @BeforeAll
  void raise() throws Exception {
    lab = new FirewallNamespaces(3);
    lab.listen(BACKEND, 8080);
    serve("ip", IPV4, "10.65.0.1", "10.65.0.1");
    serve("ip6", IPV6, "fd00:65::1", "[fd00:65::1]");
    table = new NftTable(lab.nftables(), "margay", Ownership.WHERE_PERSISTENT);
    firewall = new FirewallManager(table, FirewallSettings.DEFAULT);
  }

  @BeforeEach
  void open() throws Exception {
    apply(
        profile("open", RuleAction.ALLOW),
        set("s:backends", "10.65.0.1", "fd00:65::1"),
        set("s:clients", "10.65.0.2", "fd00:65::2"),
        set("s:service", IPV4, IPV6),
        endpoint(BACKEND, List.of(), List.of(), "open"),
        endpoint(CLIENT, List.of(), List.of(), "open"),
        endpoint(OTHER, List.of(), List.of(), "open"));
  }

  /// @param target the pod as a destination is written
  private void serve(String family, String service, String pod, String target) throws Exception {
    String chain = family + " services ";
    lab.in("r", "nft add table " + family + " services");
    lab.in("r", "nft add chain " + chain + "in { type nat hook prerouting priority -100 ; }");
    lab.in("r", "nft add chain " + chain + "back { type nat hook postrouting priority 100 ; }");
    String to = "nft add rule " + chain + "in " + family + " daddr " + service;
    lab.in("r", to + " tcp dport 80 dnat to " + target + ":8080");
    lab.in("r", to + " udp dport 53 dnat to " + target + ":5353");
    // So that a pod's answers to itself come by way of the node.
    String self = family + " saddr " + pod + " " + family + " daddr " + pod;
    lab.in("r", "nft add rule " + chain + "back " + self + " masquerade");
  }

  @AfterAll
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

  private static List<InetAddress> service() throws Exception {
    return List.of(InetAddress.getByName(IPV4), InetAddress.getByName(IPV6));
  }

  private void assertReaches(int pod) throws Exception {
    for (InetAddress service : service()) {
      assertThat(lab.allowed(pod, service, 80)).as("pod %d to %s", pod, service).isTrue();
    }
  }

  private void assertDoesNotReach(int pod) throws Exception {
    for (InetAddress service : service()) {
      assertThat(lab.dropped(pod, service, 80)).as("pod %d to %s", pod, service).isTrue();
    }
  }

  private static PeerMatch setAndPort(String set, int port) {
    return new PeerMatch(
        List.of(),
        List.of(),
        List.of(new SetId(set)),
        List.of(),
        ports(port).ports(),
        List.of(),
        List.of(),
        List.of());
  }

  @Test
  void egress_policy_sees_the_pod_and_its_port_and_not_the_services() throws Exception {
    List<TierPolicies> out = List.of(tier("out"));
    PolicyUpdate client = endpoint(CLIENT, List.of(), out, "open");
    assertReaches(CLIENT);

    apply(egress("out", rule(0, RuleAction.ALLOW, ANY, inSet("s:service"))), client);
    assertDoesNotReach(CLIENT);
    apply(egress("out", tcp(0, RuleAction.ALLOW, ANY, setAndPort("s:backends", 80))));
    assertDoesNotReach(CLIENT);

    apply(
        egress(
            "out",
            rule(0, RuleAction.DENY, ANY, inSet("s:service")),
            rule(1, RuleAction.DENY, ANY, nets(List.of(IPV4 + "/32", IPV6 + "/128"), List.of())),
            tcp(2, RuleAction.ALLOW, ANY, setAndPort("s:backends", 8080))));
    assertReaches(CLIENT);
    apply(
        egress(
            "out",
            tcp(
                0,
                RuleAction.ALLOW,
                ANY,
                nets(List.of("10.65.0.1/32", "fd00:65::1/128"), List.of()))));
    assertReaches(CLIENT);
  }

  @Test
  void ingress_policy_sees_who_asked_the_service_and_the_pods_port() throws Exception {
    apply(
        ingress("in", tcp(0, RuleAction.ALLOW, inSet("s:clients"), ports(8080))),
        endpoint(BACKEND, List.of(tier("in")), List.of(), "open"));
    assertReaches(CLIENT);
    assertDoesNotReach(OTHER);
    apply(ingress("in", tcp(0, RuleAction.ALLOW, ANY, ports(80))));
    assertDoesNotReach(CLIENT);
  }

  @Test
  void the_answer_comes_from_the_services_address_though_both_pods_are_closed_to_all_else()
      throws Exception {
    apply(
        egress("ask", udp(0, RuleAction.ALLOW, ANY, setAndPort("s:backends", 5353))),
        ingress("asked", udp(0, RuleAction.ALLOW, inSet("s:clients"), ports(5353))),
        ingress("closed"),
        egress("silent"),
        endpoint(CLIENT, List.of(tier("closed")), List.of(tier("ask")), "open"),
        endpoint(BACKEND, List.of(tier("asked")), List.of(tier("silent")), "open"));
    for (InetAddress service : service()) {
      boolean isIpv4 = service.getAddress().length == 4;
      InetSocketAddress asking = at(isIpv4 ? v4(CLIENT) : v6(CLIENT), 4000);
      InetAddress pod = isIpv4 ? v4(BACKEND) : v6(BACKEND);
      DatagramChannel client = lab.udp(CLIENT, asking);
      DatagramChannel backend = lab.udp(BACKEND, at(pod, 5353));
      assertThat(answers(client, at(service, 53), backend)).as("%s answers", service).isTrue();
      DatagramChannel unasked = lab.udp(BACKEND, at(pod, 5354));
      assertThat(Silence.isSilent(unasked, asking, client)).as("%s unasked", pod).isTrue();
    }
  }

  private static InetSocketAddress at(InetAddress address, int port) {
    return new InetSocketAddress(address, port);
  }

  @Test
  void a_pod_reaches_itself_by_its_service_as_far_as_its_policy_lets_it() throws Exception {
    assertReaches(BACKEND);
    apply(
        ingress("in", tcp(0, RuleAction.ALLOW, inSet("s:clients"), ports(8080))),
        endpoint(BACKEND, List.of(tier("in")), List.of(), "open"));
    assertDoesNotReach(BACKEND);
    apply(ingress("in", tcp(0, RuleAction.ALLOW, inSet("s:backends"), ports(8080))));
    assertReaches(BACKEND);
  }
}
