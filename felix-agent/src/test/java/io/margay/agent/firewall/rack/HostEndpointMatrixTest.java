package io.margay.agent.firewall.rack;

import static io.margay.agent.firewall.rack.PacketRack.OUTSIDE;
import static org.assertj.core.api.Assertions.assertThat;

import io.margay.linux.conntrack.Conntrack;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/// Host endpoints by what is no TCP: UDP, ICMP and what belongs to no connection, of both families,
/// between node n1, its pods, node n2 and a machine outside, beyond n1's interface `out0`.
@Tag("netns")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class HostEndpointMatrixTest {

  private static final String NODE = "n1";
  private static final String BEHIND = "n2";
  private static final String WEB = "a/web";

  /// The one whose failsafe is UDP (DHCP); outbound also DNS.
  private static final int DHCP_CLIENT = 68;

  private static final int DNS = 53;

  private static final String OUT0 =
      """
      apiVersion: projectcalico.org/v3
      kind: HostEndpoint
      metadata: {name: out0, labels: {role: edge}}
      spec: {node: n1, interfaceName: out0}
      """;

  private final PolicedRack rack = new PolicedRack(bare());
  private final Volley volley = rack.volley();

  HostEndpointMatrixTest() throws Exception {}

  /// The node that uses nothing of its kernel that is probed.
  String bare() {
    return PacketRack.BARE;
  }

  @AfterAll
  void clean() throws Exception {
    rack.close();
  }

  /// Has out0 be a host endpoint under one policy.
  ///
  /// @param spec but for its selector
  /// @param more other documents
  private void policeOut0(String spec, String... more) throws Exception {
    rack.police(
        OUT0
            + "---\n"
            + "apiVersion: projectcalico.org/v3\n"
            + "kind: GlobalNetworkPolicy\n"
            + "metadata: {name: edge}\n"
            + "spec:\n"
            + ("selector: role == 'edge'\n" + spec).indent(2)
            + String.join("", more));
  }

  private Packet udp(String from, String to, int port, IpFamily family) {
    return volley.first(from, to, Transport.UDP, port, family);
  }

  private Packet echo(String from, String to, IpFamily family) {
    return volley.first(from, to, Transport.ICMP, 0, family);
  }

  private IpAddress address(String end, IpFamily family) {
    return rack.port(end).address(family);
  }

  @Test
  void without_policy_the_node_is_closed_but_for_failsafes_and_its_link() throws Exception {
    rack.police(OUT0);
    for (IpFamily family : IpFamily.values()) {
      volley.fails(OUTSIDE, NODE, udp(OUTSIDE, NODE, 5000, family));
      volley.fails(OUTSIDE, NODE, echo(OUTSIDE, NODE, family));
      volley.fails(NODE, OUTSIDE, udp(NODE, OUTSIDE, 5000, family));
      volley.fails(NODE, OUTSIDE, echo(NODE, OUTSIDE, family));
      volley.passes(OUTSIDE, NODE, udp(OUTSIDE, NODE, DHCP_CLIENT, family));
      volley.passes(NODE, OUTSIDE, udp(NODE, OUTSIDE, DNS, family));
      volley.passes(OUTSIDE, WEB, udp(OUTSIDE, WEB, 5000, family));
      volley.passes(WEB, OUTSIDE, echo(WEB, OUTSIDE, family));
      volley.passes(WEB, NODE, udp(WEB, NODE, 5000, family));
    }
    IpAddress node = address(NODE, IpFamily.IPV6);
    IpAddress outside = address(OUTSIDE, IpFamily.IPV6);
    for (int type : LinkMessage.TYPES) {
      volley.passes(OUTSIDE, NODE, new LinkMessage(outside, node, type, volley.newId()));
      volley.passes(NODE, OUTSIDE, new LinkMessage(node, outside, type, volley.newId()));
    }
    volley.fire("packets");
  }

  @Test
  void normal_policy_knows_udp_and_icmp_in_each_direction() throws Exception {
    policeOut0(
        """
        types: [Ingress, Egress]
        ingress:
          - {action: Allow, protocol: UDP, destination: {ports: [5000]}}
          - {action: Allow, protocol: ICMP, icmp: {type: 8}}
          - {action: Allow, protocol: ICMPv6, icmp: {type: 128}}
        egress:
          - {action: Allow, protocol: UDP, destination: {ports: [6000], nets: [192.0.2.2/32]}}
          - {action: Allow, protocol: UDP, destination: {ports: [6000], nets: ["2001:db8::2/128"]}}
        """);
    List<Packet> questions = new ArrayList<>();
    for (IpFamily family : IpFamily.values()) {
      volley.passes(OUTSIDE, NODE, udp(OUTSIDE, NODE, 5000, family));
      volley.passes(OUTSIDE, NODE, echo(OUTSIDE, NODE, family));
      volley.fails(OUTSIDE, NODE, udp(OUTSIDE, NODE, 6000, family));
      Packet question = udp(NODE, OUTSIDE, 6000, family);
      questions.add(question);
      volley.passes(NODE, OUTSIDE, question);
      volley.fails(NODE, OUTSIDE, udp(NODE, OUTSIDE, 5000, family));
      volley.fails(NODE, OUTSIDE, echo(NODE, OUTSIDE, family));
    }
    volley.fire("packets");

    for (Packet question : questions) {
      Packet answer = question.reply(volley.newId());
      volley.passes(OUTSIDE, NODE, answer);
      Packet unasked = udp(NODE, OUTSIDE, 6000, question.family()).reply(volley.newId());
      volley.fails(OUTSIDE, NODE, unasked);
      Packet quoted = question.again(volley.newId());
      volley.passes(
          OUTSIDE,
          NODE,
          IcmpError.of(quoted.destination(), IcmpError.Kind.PORT_UNREACHABLE, quoted));
    }
    volley.fire("answers");
  }

  @Test
  void apply_on_forward_policy_judges_udp_and_icmp_that_the_node_forwards() throws Exception {
    policeOut0(
        """
        applyOnForward: true
        types: [Ingress, Egress]
        ingress:
          - {action: Allow, protocol: UDP, destination: {ports: [5000]}}
        egress:
          - {action: Allow, protocol: ICMP}
          - {action: Allow, protocol: ICMPv6}
        """);
    for (IpFamily family : IpFamily.values()) {
      for (String behind : List.of(WEB, BEHIND)) {
        volley.passes(OUTSIDE, behind, udp(OUTSIDE, behind, 5000, family));
        volley.fails(OUTSIDE, behind, udp(OUTSIDE, behind, 6000, family));
        volley.fails(OUTSIDE, behind, echo(OUTSIDE, behind, family));
        volley.passes(behind, OUTSIDE, echo(behind, OUTSIDE, family));
        volley.fails(behind, OUTSIDE, udp(behind, OUTSIDE, 5000, family));
      }
      volley.passes(WEB, BEHIND, udp(WEB, BEHIND, 6000, family));
    }
    volley.fire("packets");
  }

  @Test
  void do_not_track_policy_passes_udp_and_icmp_both_ways_and_leaves_no_connection()
      throws Exception {
    policeOut0(
        """
        doNotTrack: true
        applyOnForward: true
        types: [Ingress, Egress]
        ingress:
          - {action: Allow, protocol: UDP, destination: {ports: [7000]}}
          - {action: Allow, protocol: ICMP}
          - {action: Allow, protocol: ICMPv6}
          - {action: Deny, protocol: UDP, destination: {ports: [68, 7001]}}
        egress:
          - {action: Allow, protocol: UDP, source: {ports: [7000]}}
          - {action: Allow, protocol: ICMP}
          - {action: Allow, protocol: ICMPv6}
        """);
    for (IpFamily family : IpFamily.values()) {
      Packet question = udp(OUTSIDE, NODE, 7000, family);
      volley.passes(OUTSIDE, NODE, question);
      volley.passes(NODE, OUTSIDE, question.reply(volley.newId()));
      volley.passes(OUTSIDE, NODE, echo(OUTSIDE, NODE, family));
      volley.passes(NODE, OUTSIDE, echo(NODE, OUTSIDE, family));
    }
    try (Conntrack conntrack = rack.conntrack(NODE)) {
      Set<IpAddress> outside =
          Set.of(address(OUTSIDE, IpFamily.IPV4), address(OUTSIDE, IpFamily.IPV6));
      conntrack.deleteFlows(outside);
      volley.fire("packets of allowed kinds");
      assertThat(conntrack.deleteFlows(outside)).as("tracked connections").isZero();
    }
    for (IpFamily family : IpFamily.values()) {
      volley.fails(OUTSIDE, WEB, udp(OUTSIDE, WEB, 7001, family));
      volley.passes(OUTSIDE, WEB, udp(OUTSIDE, WEB, 7002, family));
      // The policy has no say, and the endpoint no other.
      volley.fails(OUTSIDE, NODE, udp(OUTSIDE, NODE, 7002, family));
      volley.fails(NODE, OUTSIDE, udp(NODE, OUTSIDE, 7000, family));
      volley.passes(OUTSIDE, NODE, udp(OUTSIDE, NODE, DHCP_CLIENT, family));
    }
    volley.fire("packets of other kinds");
  }

  /// No router lets them pass, so they are no reason to let anything pass one.
  @Test
  void neighbour_discovery_is_spared_do_not_track_and_pre_dnat_policy_on_the_link_only()
      throws Exception {
    for (String stage : List.of("doNotTrack: true", "preDNAT: true")) {
      policeOut0(stage + "\napplyOnForward: true\ntypes: [Ingress]\ningress: [{action: Deny}]\n");
      IpAddress outside = address(OUTSIDE, IpFamily.IPV6);
      for (int type : LinkMessage.TYPES) {
        IpAddress node = address(NODE, IpFamily.IPV6);
        volley.passes(OUTSIDE, NODE, new LinkMessage(outside, node, type, volley.newId()));
        volley.passes(
            OUTSIDE, NODE, new LinkMessage(outside, LinkMessage.ALL_NODES, type, volley.newId()));
      }
      IpAddress behind = address(BEHIND, IpFamily.IPV6);
      for (int type : LinkMessage.OF_DISCOVERY) {
        volley.fails(OUTSIDE, BEHIND, new LinkMessage(outside, behind, type, volley.newId()));
      }
      volley.fire("messages, " + stage);
    }
  }

  /// UDP ports 30053 and 30054 of the node lead to port 53 of the pod.
  private static final String WEB_WITH_HOST_PORTS =
      """
      ---
      apiVersion: projectcalico.org/v3
      kind: WorkloadEndpoint
      metadata: {namespace: a, name: n1-k8s-web-eth0, labels: {app: web}}
      spec:
        orchestrator: k8s
        node: n1
        pod: web
        endpoint: eth0
        interfaceName: calia-web
        ipNetworks: [10.65.1.1/32, "fd00:65:1::1/128"]
        profiles: [kns.a]
        ports:
          - {name: one, protocol: UDP, port: 53, hostPort: 30053}
          - {name: other, protocol: UDP, port: 53, hostPort: 30054}
      """;

  @Test
  void pre_dnat_policy_sees_udp_and_icmp_as_they_came() throws Exception {
    policeOut0(
        """
        preDNAT: true
        applyOnForward: true
        types: [Ingress]
        ingress:
          - {action: Deny, protocol: UDP, destination: {ports: [30053, 53]}}
          - {action: Deny, protocol: ICMP, icmp: {type: 8}, destination: {nets: [10.65.1.1/32]}}
          - {action: Deny, protocol: ICMPv6, icmp: {type: 128}, destination: {nets: ["fd00:65:1::1/128"]}}
        """,
        WEB_WITH_HOST_PORTS);
    for (IpFamily family : IpFamily.values()) {
      volley.fails(OUTSIDE, WEB, udp(OUTSIDE, NODE, 30_053, family));
      volley.passes(OUTSIDE, WEB, udp(OUTSIDE, NODE, 30_054, family));
      volley.fails(OUTSIDE, WEB, udp(OUTSIDE, WEB, 53, family));
      volley.passes(OUTSIDE, WEB, udp(OUTSIDE, WEB, 54, family));
      volley.fails(OUTSIDE, WEB, echo(OUTSIDE, WEB, family));
      volley.passes(OUTSIDE, BEHIND, echo(OUTSIDE, BEHIND, family));
    }
    volley.fire("packets");
  }

  @Test
  void what_pre_dnat_policy_allows_of_udp_and_icmp_skips_what_comes_after() throws Exception {
    policeOut0(
        """
        preDNAT: true
        applyOnForward: true
        types: [Ingress]
        ingress:
          - {action: Allow, protocol: UDP, destination: {ports: [5000, 30053]}}
          - {action: Allow, protocol: ICMP}
          - {action: Allow, protocol: ICMPv6}
        """,
        """
        ---
        apiVersion: projectcalico.org/v3
        kind: GlobalNetworkPolicy
        metadata: {name: late}
        spec: {selector: role == 'edge', applyOnForward: true, types: [Ingress], ingress: [{action: Deny}]}
        """,
        WEB_WITH_HOST_PORTS);
    for (IpFamily family : IpFamily.values()) {
      volley.passes(OUTSIDE, WEB, udp(OUTSIDE, NODE, 30_053, family));
      volley.fails(OUTSIDE, WEB, udp(OUTSIDE, NODE, 30_054, family));
      volley.fails(OUTSIDE, WEB, udp(OUTSIDE, WEB, 53, family));
      volley.passes(OUTSIDE, WEB, echo(OUTSIDE, WEB, family));
      volley.passes(OUTSIDE, NODE, echo(OUTSIDE, NODE, family));
      volley.passes(OUTSIDE, NODE, udp(OUTSIDE, NODE, 5000, family));
      volley.fails(OUTSIDE, NODE, udp(OUTSIDE, NODE, 5001, family));
    }
    volley.fire("packets");
  }

  @Test
  void a_packet_of_no_connection_is_dropped_at_an_open_endpoint_and_forwarded_unless_policy_asks()
      throws Exception {
    String open =
        "types: [Ingress, Egress]\ningress: [{action: Allow}]\negress: [{action: Allow}]\n";
    policeOut0(open);
    for (IpFamily family : IpFamily.values()) {
      volley.ofNoConnection(OUTSIDE, NODE, family, volley::fails);
      volley.ofNoConnection(NODE, OUTSIDE, family, volley::fails);
      volley.ofNoConnection(OUTSIDE, BEHIND, family, volley::passes);
      volley.ofNoConnection(BEHIND, OUTSIDE, family, volley::passes);
    }
    volley.fire("packets of no connection");

    policeOut0("applyOnForward: true\n" + open);
    for (IpFamily family : IpFamily.values()) {
      volley.ofNoConnection(OUTSIDE, BEHIND, family, volley::fails);
      volley.ofNoConnection(BEHIND, OUTSIDE, family, volley::fails);
    }
    volley.fire("forwarded packets of no connection");
  }
}
