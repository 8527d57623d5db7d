package io.margay.agent.firewall.rack;

import static io.margay.agent.firewall.rack.PacketRack.OUTSIDE;

import io.margay.agent.firewall.TunnelGuard;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/// What policy is not asked about: packets of no connection, errors about one, a link's own
/// messages, tunnels.
@Tag("netns")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class BeforePolicyPacketTest {

  private static final String WEB = "a/web";
  private static final String CLIENT = "a/client";
  private static final String NEIGHBOUR = "a/plain";
  private static final String FAR = "a/far";

  private static final IpAddress LINK_LOCAL = IpAddress.parse("fe80::99");
  private static final IpAddress UNSPECIFIED = IpAddress.parse("::");

  /// The node on every wire, by the wire's hardware address (RFC 4291, appendix A).
  private static final IpAddress GATEWAY = IpAddress.parse("fe80::ecee:eeff:feee:eeee");

  private static final String CLIENT_IS_CLOSED =
      """
      apiVersion: projectcalico.org/v3
      kind: NetworkPolicy
      metadata: {namespace: a, name: closed}
      spec: {selector: app == 'client', types: [Ingress, Egress]}
      """;

  private final PolicedRack rack;
  private final Volley volley;

  BeforePolicyPacketTest() throws Exception {
    rack = new PolicedRack();
    volley = rack.volley();
  }

  @AfterAll
  void clean() throws Exception {
    rack.close();
  }

  private IpAddress address(String end, IpFamily family) {
    return rack.port(end).address(family);
  }

  private Packet again(Packet packet) {
    return packet.again(volley.newId());
  }

  @Test
  void a_packet_of_no_connection_is_dropped_from_a_pod_and_to_it_and_goes_on_between_strangers()
      throws Exception {
    rack.police("");
    for (IpFamily family : IpFamily.values()) {
      volley.ofNoConnection(WEB, OUTSIDE, family, volley::fails);
      volley.ofNoConnection(WEB, "n1", family, volley::fails);
      volley.ofNoConnection(OUTSIDE, WEB, family, volley::fails);
      // As where a connection goes by one router and comes back by another.
      volley.ofNoConnection(OUTSIDE, "n2", family, volley::passes);
    }
    volley.fire("packets of no connection");
  }

  @Test
  void a_segment_far_beyond_its_connections_window_is_dropped_from_a_pod_and_to_it()
      throws Exception {
    rack.police("");
    List<Packet> asked = new ArrayList<>();
    for (IpFamily family : IpFamily.values()) {
      Packet question = volley.first(WEB, OUTSIDE, Transport.TCP, 80, family);
      asked.add(question);
      volley.passes(WEB, OUTSIDE, question);
    }
    volley.fire("questions");
    asked.forEach(packet -> volley.passes(OUTSIDE, WEB, packet.reply(volley.newId())));
    volley.fire("answers");
    for (Packet packet : asked) {
      volley.fails(WEB, OUTSIDE, new StraySegment(again(packet)));
      volley.fails(OUTSIDE, WEB, new StraySegment(packet.reply(volley.newId())));
    }
    volley.fire("segments beyond the window");
  }

  /// One that policy allows, begun.
  private record Connection(String from, String to, Packet first) {}

  private Connection begin(String from, String to, Transport transport, int port, IpFamily family) {
    Packet first = volley.first(from, to, transport, port, family);
    volley.passes(from, to, first);
    return new Connection(from, to, first);
  }

  @Test
  void
      an_error_about_a_connection_comes_through_whatever_policy_denies_and_one_about_none_does_not()
          throws Exception {
    rack.police(
        """
        apiVersion: projectcalico.org/v3
        kind: NetworkPolicy
        metadata: {namespace: a, name: little}
        spec:
          selector: app == 'client'
          types: [Ingress, Egress]
          ingress: [{action: Allow, protocol: UDP, destination: {ports: [53]}}]
          egress:
            - {action: Allow, protocol: TCP, destination: {ports: [80]}}
            - {action: Allow, protocol: UDP, destination: {ports: [80]}}
        """);
    List<Connection> allowed = new ArrayList<>();
    List<Connection> neighbours = new ArrayList<>();
    for (IpFamily family : IpFamily.values()) {
      allowed.add(begin(CLIENT, OUTSIDE, Transport.TCP, 80, family));
      allowed.add(begin(CLIENT, OUTSIDE, Transport.UDP, 80, family));
      allowed.add(begin(CLIENT, FAR, Transport.UDP, 80, family));
      allowed.add(begin(OUTSIDE, CLIENT, Transport.UDP, 53, family));
      neighbours.add(begin(NEIGHBOUR, OUTSIDE, Transport.UDP, 80, family));
      volley.fails(CLIENT, OUTSIDE, volley.first(CLIENT, OUTSIDE, Transport.ICMP, 0, family));
      volley.fails(OUTSIDE, CLIENT, volley.first(OUTSIDE, CLIENT, Transport.ICMP, 0, family));
    }
    volley.fire("first packets");

    for (IcmpError.Kind kind : IcmpError.Kind.values()) {
      for (Connection one : allowed) {
        Packet quoted = again(one.first());
        volley.passes(one.to(), one.from(), IcmpError.of(quoted.destination(), kind, quoted));
      }
      for (Connection one : neighbours) {
        Packet quoted = again(one.first());
        volley.passes(OUTSIDE, NEIGHBOUR, IcmpError.of(router(quoted.family()), kind, quoted));
        Packet taken = again(one.first());
        IpAddress client = address(CLIENT, taken.family());
        volley.fails(OUTSIDE, CLIENT, new IcmpError(router(taken.family()), client, kind, taken));
      }
      for (IpFamily family : IpFamily.values()) {
        Packet neverSent = volley.first(CLIENT, OUTSIDE, Transport.UDP, 80, family);
        volley.fails(OUTSIDE, CLIENT, IcmpError.of(router(family), kind, neverSent));
        Packet neverCame = volley.first(OUTSIDE, CLIENT, Transport.UDP, 53, family);
        volley.fails(CLIENT, OUTSIDE, IcmpError.of(neverCame.destination(), kind, neverCame));
      }
    }
    volley.fire("errors");
  }

  /// One on the way, that is no end of any connection.
  private static IpAddress router(IpFamily family) {
    return IpAddress.parse(family == IpFamily.IPV4 ? "198.51.100.7" : "2001:db8:7::7");
  }

  @Test
  void a_closed_pod_has_its_link_and_nothing_more() throws Exception {
    rack.police(CLIENT_IS_CLOSED);
    IpAddress client = address(CLIENT, IpFamily.IPV6);
    IpAddress node = address("n1", IpFamily.IPV6);
    for (int type : LinkMessage.TYPES) {
      for (IpAddress source : List.of(LINK_LOCAL, UNSPECIFIED, client)) {
        volley.passes(
            CLIENT, "n1", new LinkMessage(source, LinkMessage.ALL_NODES, type, volley.newId()));
      }
      volley.passes(CLIENT, "n1", new LinkMessage(client, node, type, volley.newId()));
      volley.passes(CLIENT, "n1", new LinkMessage(client, GATEWAY, type, volley.newId()));
      volley.passes("n1", CLIENT, new LinkMessage(node, client, type, volley.newId()));
    }
    volley.fails(CLIENT, "n1", volley.first(CLIENT, "n1", Transport.ICMP, 0, IpFamily.IPV6));
    for (String stranger : List.of(NEIGHBOUR, FAR, OUTSIDE)) {
      volley.fails(
          CLIENT, stranger, volley.first(CLIENT, stranger, Transport.ICMP, 0, IpFamily.IPV6));
      volley.fails(
          stranger, CLIENT, volley.first(stranger, CLIENT, Transport.ICMP, 0, IpFamily.IPV6));
    }
    volley.fire("messages");
  }

  /// They would be a way out for what policy keeps in, and a way in.
  @Test
  void what_is_meant_for_a_link_does_not_leave_it() throws Exception {
    rack.police(CLIENT_IS_CLOSED);
    for (int type : LinkMessage.OF_DISCOVERY) {
      for (String stranger : List.of(NEIGHBOUR, FAR, OUTSIDE)) {
        IpAddress client = address(CLIENT, IpFamily.IPV6);
        IpAddress there = address(stranger, IpFamily.IPV6);
        volley.fails(CLIENT, stranger, new LinkMessage(client, there, type, volley.newId()));
        volley.fails(stranger, CLIENT, new LinkMessage(there, client, type, volley.newId()));
      }
    }
    volley.fire("messages");
  }

  @Test
  void a_pod_tunnels_to_nobody_and_may_be_tunnelled_to() throws Exception {
    int configured = 8472;
    rack.police("");
    for (boolean isConfigured : new boolean[] {false, true}) {
      if (isConfigured) {
        rack.setTunnelGuard(new TunnelGuard(configured, EnumSet.allOf(IpFamily.class), Set.of()));
      }
      for (IpFamily family : IpFamily.values()) {
        for (String to : List.of(NEIGHBOUR, FAR, OUTSIDE, "n1")) {
          volley.fails(WEB, to, tunnelled(WEB, to, family));
          volley.fails(
              WEB, to, volley.first(WEB, to, Transport.UDP, TunnelGuard.WELL_KNOWN_PORT, family));
          volley.expect(
              "to the configured port",
              WEB,
              to,
              volley.first(WEB, to, Transport.UDP, configured, family),
              !isConfigured);
        }
      }
      volley.fire(isConfigured ? "tunnels, a port being configured" : "tunnels");
    }
    for (IpFamily family : IpFamily.values()) {
      volley.passes(OUTSIDE, WEB, tunnelled(OUTSIDE, WEB, family));
      for (int port : List.of(TunnelGuard.WELL_KNOWN_PORT, configured)) {
        volley.passes(OUTSIDE, WEB, volley.first(OUTSIDE, WEB, Transport.UDP, port, family));
      }
    }
    volley.fire("tunnels to a pod");
    rack.setTunnelGuard(TunnelGuard.NONE);
  }

  private Tunnelled tunnelled(String from, String to, IpFamily family) {
    return new Tunnelled(
        address(from, family),
        address(to, family),
        volley.first(from, to, Transport.UDP, 80, IpFamily.IPV4));
  }
}
