package io.margay.linux.conntrack;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.linux.netlink.MessageBuilder;
import io.margay.linux.netlink.NetlinkMessage;
import io.margay.linux.netlink.NetlinkSocket;
import io.margay.linux.netns.TestNetns;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("netns")
class ConntrackTest {

  private static final int NEW = 1 << 8;
  private static final int GET = NEW | 1;
  private static final int TCP = 6;
  private static final int UDP = 17;

  /// IP_CT_TCP_FLAG_BE_LIBERAL of linux/netfilter/nf_conntrack_tcp.h.
  private static final int BE_LIBERAL = 0x08;

  @Test
  void the_flows_of_an_address_go_and_the_others_stay() throws Exception {
    try (TestNetns netns = TestNetns.create();
        NetlinkSocket socket = NetlinkSocket.openIn(netns.fd(), NetlinkSocket.NETFILTER);
        Conntrack conntrack = Conntrack.inNetns(netns.fd())) {
      socket.request(flow("10.1.0.5", "10.2.0.1", "10.2.0.1", 1000));
      socket.request(flow("10.2.0.1", "10.1.0.5", "10.1.0.5", 1001));
      socket.request(flow("10.2.0.1", "10.96.0.1", "10.1.0.5", 1002)); // translated to it
      socket.request(flow("10.1.0.6", "10.2.0.1", "10.2.0.1", 1003));
      socket.request(flow("fd00::5", "fd00:2::1", "fd00:2::1", 1004));
      socket.request(flow("fd00::6", "fd00:2::1", "fd00:2::1", 1005));

      assertThat(
              conntrack.deleteFlows(
                  Set.of(IpAddress.parse("10.1.0.5"), IpAddress.parse("fd00::5"))))
          .isEqualTo(4);
      assertThat(flows(socket, IpFamily.IPV4)).isEqualTo(1);
      assertThat(flows(socket, IpFamily.IPV6)).isEqualTo(1);
      assertThat(conntrack.deleteFlows(Set.of(IpAddress.parse("10.1.0.5")))).isZero();
      assertThat(conntrack.deleteFlows(Set.of())).isZero();
    }
  }

  @Test
  void of_the_flows_to_a_port_those_chosen_go() throws Exception {
    try (TestNetns netns = TestNetns.create();
        NetlinkSocket socket = NetlinkSocket.openIn(netns.fd(), NetlinkSocket.NETFILTER);
        Conntrack conntrack = Conntrack.inNetns(netns.fd())) {
      socket.request(flow("10.2.0.1", "192.0.2.1", "10.1.0.5", 1000));
      socket.request(flow("10.2.0.1", "192.0.2.1", "192.0.2.1", 1001));
      socket.request(flow("10.2.0.1", "192.0.2.1", "192.0.2.1", 53));
      socket.request(flow("fd00:2::1", "fd00::1", "fd00::5", 1000));
      List<Flow> seen = new ArrayList<>();

      assertThat(conntrack.deleteFlows(IpFamily.IPV4, 17, 54, _ -> true)).isZero();
      assertThat(conntrack.deleteFlows(IpFamily.IPV4, 6, 53, _ -> true)).isZero();
      assertThat(
              conntrack.deleteFlows(
                  IpFamily.IPV4, 17, 53, flow -> seen.add(flow) && !flow.isUntranslated()))
          .isEqualTo(1);
      assertThat(seen)
          .hasSize(3)
          .contains(
              new Flow(17, IpAddress.parse("192.0.2.1"), 53, IpAddress.parse("10.1.0.5"), 53));
      assertThat(flows(socket, IpFamily.IPV4)).isEqualTo(2);
      assertThat(conntrack.deleteFlows(IpFamily.IPV6, 17, 53, _ -> true)).isEqualTo(1);
    }
  }

  /// @param few up to how many flows the whole table is read for an address
  @ParameterizedTest
  @ValueSource(ints = {0, 100})
  void connections_are_read_by_address_and_forgotten_one_by_one(int few) throws Exception {
    try (TestNetns netns = TestNetns.create();
        NetlinkSocket socket = NetlinkSocket.openIn(netns.fd(), NetlinkSocket.NETFILTER);
        Conntrack conntrack = Conntrack.inNetns(netns.fd(), few)) {
      assertThat(conntrack.size()).isZero();
      assertThat(conntrack.connections(IpFamily.IPV4, Set.of(IpAddress.parse("10.1.0.5"))))
          .isEmpty();
      socket.request(flow("10.1.0.5", "10.2.0.1", "10.2.0.1", 1000));
      socket.request(flow("10.2.0.1", "10.96.0.1", "10.1.0.5", 1002)); // translated to it
      socket.request(flow("10.1.0.6", "10.2.0.2", "10.2.0.2", 1003));
      socket.request(flow("fd00::5", "fd00:2::1", "fd00:2::1", 1004));
      assertThat(conntrack.size()).isEqualTo(4);

      List<Connection> of5 =
          conntrack.connections(IpFamily.IPV4, Set.of(IpAddress.parse("10.1.0.5")));
      assertThat(of5).extracting(Connection::sourcePort).containsOnly(1000, 1002);
      assertThat(of5)
          .anySatisfy(
              led -> {
                assertThat(led.destination()).isEqualTo(IpAddress.parse("10.96.0.1"));
                assertThat(led.answerer()).isEqualTo(IpAddress.parse("10.1.0.5"));
                assertThat(led.answersTo()).isEqualTo(IpAddress.parse("10.2.0.1"));
                assertThat(led.protocol()).isEqualTo(17);
                assertThat(led.destinationPort()).isEqualTo(53);
                assertThat(led.isExpected()).isFalse();
              });
      assertThat(conntrack.connections(IpFamily.IPV6, Set.of(IpAddress.parse("fd00:2::1"))))
          .extracting(Connection::source)
          .containsOnly(IpAddress.parse("fd00::5"));
      // More than are asked for one by one.
      Set<IpAddress> many = new HashSet<>(Set.of(IpAddress.parse("10.1.0.6")));
      for (int i = 1; i < 9; i++) {
        many.add(IpAddress.parse("10.9.0." + i));
      }
      List<Connection> of6 = conntrack.connections(IpFamily.IPV4, many);
      assertThat(of6).extracting(Connection::sourcePort).containsExactly(1003);

      assertThat(conntrack.delete(of6)).isEqualTo(1);
      assertThat(conntrack.delete(of6)).isZero();
      assertThat(flows(socket, IpFamily.IPV4)).isEqualTo(2);
    }
  }

  @Test
  void a_connection_of_tcp_that_was_seen_in_its_middle_first_says_so() throws Exception {
    try (TestNetns netns = TestNetns.create();
        NetlinkSocket socket = NetlinkSocket.openIn(netns.fd(), NetlinkSocket.NETFILTER);
        Conntrack conntrack = Conntrack.inNetns(netns.fd())) {
      for (boolean pickedUp : new boolean[] {true, false}) {
        IpAddress from = IpAddress.parse(pickedUp ? "10.1.0.5" : "10.1.0.6");
        IpAddress to = IpAddress.parse("10.2.0.1");
        MessageBuilder message =
            new MessageBuilder(NEW, NetlinkMessage.CREATE | NetlinkMessage.EXCL, "add", "flow");
        header(message, IpFamily.IPV4);
        tuple(message, 1, TCP, from, to, 1000, 80);
        tuple(message, 2, TCP, to, from, 80, 1000);
        byte[] flags = {(byte) (pickedUp ? BE_LIBERAL : 0), BE_LIBERAL};
        message.nest(
            4, state -> state.nest(1, tcp -> tcp.attrU8(1, 3).attr(4, flags).attr(5, flags)));
        socket.request(message.attrBe32(7, 600).build());
      }
      assertThat(conntrack.connections(IpFamily.IPV4, Connection::isPickedUp))
          .extracting(Connection::source)
          .containsExactly(IpAddress.parse("10.1.0.5"));
    }
  }

  private static int flows(NetlinkSocket socket, IpFamily family) throws Exception {
    MessageBuilder question = new MessageBuilder(GET, 0, "list", "flows");
    return socket.dump(header(question, family).build()).size();
  }

  private static NetlinkMessage flow(String source, String destination, String server, int port) {
    IpAddress from = IpAddress.parse(source);
    MessageBuilder message =
        new MessageBuilder(
            NEW, NetlinkMessage.CREATE | NetlinkMessage.EXCL, "add flow", source + " " + port);
    header(message, from.family());
    tuple(message, 1, UDP, from, IpAddress.parse(destination), port, 53);
    tuple(message, 2, UDP, IpAddress.parse(server), from, 53, port);
    return message.attrBe32(7, 600).build();
  }

  private static void tuple(
      MessageBuilder message,
      int type,
      int protocol,
      IpAddress from,
      IpAddress to,
      int fromPort,
      int toPort) {
    int first = from.family() == IpFamily.IPV4 ? 1 : 3;
    message.nest(
        type,
        tuple ->
            tuple
                .nest(1, ip -> ip.attr(first, from.toBytes()).attr(first + 1, to.toBytes()))
                .nest(
                    2, ends -> ends.attrU8(1, protocol).attrBe16(2, fromPort).attrBe16(3, toPort)));
  }

  private static MessageBuilder header(MessageBuilder message, IpFamily family) {
    return message.u8(family == IpFamily.IPV4 ? 2 : 10).u8(0).be16(0);
  }
}
