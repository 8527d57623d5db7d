package io.margay.bgp.bfd;

import static org.assertj.core.api.Assertions.assertThat;

import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.ScopedAddress;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoop;
import io.netty.channel.epoll.EpollDatagramChannel;
import io.netty.channel.socket.DatagramPacket;
import io.netty.channel.unix.IntegerUnixChannelOption;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Sessions between nodes of ours over real sockets.
@Tag("netns")
class BfdNamespacesTest {

  private static final BfdParameters QUICK = BfdParameters.DEFAULT;

  private final BfdLab lab;
  private final BfdLab.Node node;
  private final BfdLab.Node router;

  BfdNamespacesTest() throws Exception {
    lab = new BfdLab();
    node = lab.node(lab.near);
    router = lab.node(lab.middle);
  }

  @AfterEach
  void tearDown() {
    lab.close();
  }

  private static BfdPeer single(String peer) {
    return single(peer, QUICK);
  }

  private static BfdPeer single(String peer, BfdParameters parameters) {
    return new BfdPeer(ScopedAddress.parse(peer), null, new BfdPeer.Hops.Single(), parameters);
  }

  private static BfdPeer multi(String peer, String local, int minTtl) {
    return new BfdPeer(
        ScopedAddress.parse(peer), IpAddress.parse(local), new BfdPeer.Hops.Multi(minTtl), QUICK);
  }

  private void bothUp() throws InterruptedException {
    assertThat(node.event().change()).isEqualTo(new BfdChange.Up());
    assertThat(router.event().change()).isEqualTo(new BfdChange.Up());
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource({
    "10.211.1.1,     10.211.1.2",
    "fd00:211:1::1,  fd00:211:1::2",
    "fe80::1%end,    fe80::2%near",
  })
  void neighbours_come_up_and_a_cut_link_is_noticed(String theirs, String ours) throws Exception {
    node.sessions.desire(Set.of(single(theirs)));
    router.sessions.desire(Set.of(single(ours)));
    bothUp();
    BfdLab.await(
        "negotiated intervals",
        node.sessions::status,
        () -> node.status(theirs).detectionTime().equals(Duration.ofMillis(900)));
    assertThat(node.status(theirs).sendInterval()).isEqualTo(Duration.ofMillis(300));
    assertThat(node.status(theirs).problem()).isNull();

    long cut = System.nanoTime();
    lab.ip(lab.middle, "link set near down");
    BfdLab.Node.Event down = node.event();
    assertThat(down.change())
        .isEqualTo(new BfdChange.Down(BfdDiagnostic.DETECTION_TIME_EXPIRED, false));
    System.out.printf("%s down after %d ms%n", theirs, (down.nanos() - cut) / 1_000_000);
    assertThat(node.status(theirs).timesDown()).isEqualTo(1);

    lab.ip(lab.middle, "link set near up");
    if (theirs.indexOf(':') >= 0) {
      // The kernel takes IPv6 addresses away with the link.
      lab.ip(lab.middle, "addr replace fd00:211:1::1/64 dev near nodad");
      lab.ip(lab.middle, "addr replace fe80::1/64 dev near nodad");
    }
    assertThat(node.event().change()).isEqualTo(new BfdChange.Up());
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource({
    "10.211.1.2,     10.211.2.2",
    "fd00:211:1::2,  fd00:211:2::2",
  })
  void multihop_sessions_come_up_within_their_minimum_ttl(String near, String far)
      throws Exception {
    BfdLab.Node end = lab.node(lab.far);
    end.sessions.desire(Set.of(multi(near, far, 254)));
    // The router decrements once: 254 arrive.
    node.sessions.desire(Set.of(multi(far, near, 255)));
    BfdLab.await(
        "packets of our own that reach the far end",
        end.sessions::status,
        () -> end.status(near).packetsReceived() >= 2);
    assertThat(node.status(far).packetsReceived()).isZero();

    node.sessions.desire(Set.of(multi(far, near, 254)));
    node.awaitState(far, BfdState.UP);
    end.awaitState(near, BfdState.UP);
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource({
    "10.211.1.2,     10.211.1.1,    10.211.2.2",
    "fd00:211:1::2,  fd00:211:1::1, fd00:211:2::2",
  })
  void each_multihop_peer_has_the_minimum_ttl_of_its_own(String near, String middle, String far)
      throws Exception {
    BfdLab.Node end = lab.node(lab.far);
    end.sessions.desire(Set.of(multi(near, far, 1)));
    router.sessions.desire(Set.of(multi(near, middle, 1)));
    node.sessions.desire(Set.of(multi(far, near, 255), multi(middle, near, 1)));
    node.awaitState(middle, BfdState.UP);
    BfdLab.await(
        "our packets at the far end",
        end.sessions::status,
        () -> end.status(near).packetsReceived() >= 2);
    assertThat(node.status(far).packetsReceived()).isZero();

    node.sessions.desire(Set.of(multi(far, near, 254), multi(middle, near, 255)));
    node.awaitState(far, BfdState.UP);
    assertThat(node.status(middle).timesDown()).isZero();
  }

  /// Sends control packets as the router might, from `10.211.1.1` or `fd00:211:1::1`.
  private void sendFromRouter(String to, int hops, ByteBuf octets) throws Exception {
    EventLoop loop = router.sessions.loop();
    IpFamily family = IpAddress.parse(to).family();
    loop.submit(
            () -> {
              EpollDatagramChannel channel =
                  new EpollDatagramChannel(ControlSocket.protocol(family));
              channel.pipeline().addLast(new ChannelInboundHandlerAdapter());
              loop.register(channel);
              channel.bind(new InetSocketAddress(ControlSocket.any(family), 0));
              channel
                  .config()
                  .setOption(
                      switch (family) {
                        case IPV4 -> new IntegerUnixChannelOption("IP_TTL", 0, 2);
                        case IPV6 -> new IntegerUnixChannelOption("IPV6_UNICAST_HOPS", 41, 16);
                      },
                      hops);
              boolean sent =
                  channel
                      .writeAndFlush(
                          new DatagramPacket(
                              octets, new InetSocketAddress(to, ControlPort.SINGLE_HOP)))
                      .isSuccess();
              channel.close();
              return sent;
            })
        .sync();
  }

  private static ByteBuf down(int discriminator) {
    ByteBuf octets = Unpooled.buffer();
    new BfdPacket(
            BfdDiagnostic.NONE,
            BfdState.DOWN,
            false,
            false,
            false,
            false,
            3,
            discriminator,
            0,
            1_000_000,
            1_000_000,
            0)
        .encode(octets);
    return octets;
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource({
    "10.211.1.1,     10.211.1.2",
    "fd00:211:1::1,  fd00:211:1::2",
  })
  void what_a_router_has_forwarded_is_not_listened_to(String theirs, String ours) throws Exception {
    node.sessions.desire(Set.of(single(theirs)));
    node.sessions.status();
    sendFromRouter(ours, 64, down(64));
    sendFromRouter(ours, 254, down(254));
    sendFromRouter(ours, 255, down(255));
    // One socket, one queue: what was sent before has been dropped when this has arrived.
    BfdLab.await(
        "the packet with 255",
        node.sessions::status,
        () -> node.status(theirs).remoteDiscriminator() == 255);
    assertThat(node.status(theirs).packetsReceived()).isEqualTo(1);
    assertThat(node.sessions.packetsDiscarded()).isZero();
  }

  @Test
  void strangers_and_malformed_packets_are_counted_and_change_nothing() throws Exception {
    node.sessions.desire(Set.of(single("10.211.1.9")));
    node.sessions.status();
    sendFromRouter("10.211.1.2", 255, down(1));
    sendFromRouter("10.211.1.2", 255, Unpooled.wrappedBuffer(new byte[] {1, 2, 3}));
    ByteBuf wrong = down(1);
    wrong.setInt(8, node.status("10.211.1.9").localDiscriminator());
    sendFromRouter("10.211.1.2", 255, wrong);
    ByteBuf nobodys = down(1);
    nobodys.setInt(8, node.status("10.211.1.9").localDiscriminator() + 1);
    sendFromRouter("10.211.1.2", 255, nobodys);
    BfdLab.await(
        "four discards",
        node.sessions::packetsDiscarded,
        () -> node.sessions.packetsDiscarded() == 4);
    assertThat(node.status("10.211.1.9").state()).isEqualTo(BfdState.DOWN);
    assertThat(node.status("10.211.1.9").packetsReceived()).isZero();
  }

  @Test
  void a_session_that_is_desired_no_more_is_no_failure() throws Exception {
    node.sessions.desire(Set.of(single("10.211.1.1")));
    router.sessions.desire(Set.of(single("10.211.1.2")));
    bothUp();
    node.sessions.desire(Set.of());
    assertThat(router.event().change()).isEqualTo(new BfdChange.AdminDown());
    assertThat(router.status("10.211.1.2").remoteState()).isEqualTo(BfdState.ADMIN_DOWN);
    assertThat(router.status("10.211.1.2").timesDown()).isZero();
    // And back, with a new discriminator.
    node.sessions.desire(Set.of(single("10.211.1.1")));
    bothUp();
  }

  @Test
  void stopping_is_no_failure_for_the_peers() throws Exception {
    node.sessions.desire(Set.of(single("10.211.1.1"), single("fd00:211:1::1")));
    router.sessions.desire(Set.of(single("10.211.1.2"), single("fd00:211:1::2")));
    bothUp();
    bothUp();
    node.sessions.stop();
    assertThat(router.event().change()).isEqualTo(new BfdChange.AdminDown());
    assertThat(router.event().change()).isEqualTo(new BfdChange.AdminDown());
    assertThat(node.sessions.status()).isEmpty();
  }

  @Test
  void intervals_change_while_a_session_is_up() throws Exception {
    node.sessions.desire(Set.of(single("10.211.1.1")));
    router.sessions.desire(Set.of(single("10.211.1.2")));
    bothUp();
    node.sessions.desire(
        Set.of(single("10.211.1.1", new BfdParameters(Duration.ofMillis(700), 5))));
    BfdLab.await(
        "700 ms x 5 at the router",
        router.sessions::status,
        () -> router.status("10.211.1.2").detectionTime().equals(Duration.ofMillis(3500)));
    BfdLab.await(
        "700 ms here",
        node.sessions::status,
        () -> node.status("10.211.1.1").sendInterval().equals(Duration.ofMillis(700)));
    node.sessions.desire(
        Set.of(single("10.211.1.1", new BfdParameters(Duration.ofMillis(100), 3))));
    BfdLab.await(
        "the router's 300 ms again",
        router.sessions::status,
        () -> router.status("10.211.1.2").detectionTime().equals(Duration.ofMillis(900)));
    assertThat(node.events).isEmpty();
    assertThat(router.events).isEmpty();
  }

  @Test
  void a_pause_of_this_process_is_not_taken_for_the_peers_silence() throws Exception {
    // The router is patient with us (300 ms x 20), we are not (300 ms x 3).
    node.sessions.desire(
        Set.of(single("10.211.1.1", new BfdParameters(Duration.ofMillis(300), 20))));
    router.sessions.desire(Set.of(single("10.211.1.2")));
    bothUp();
    BfdLab.await(
        "900 ms",
        node.sessions::status,
        () -> node.status("10.211.1.1").detectionTime().equals(Duration.ofMillis(900)));
    // Behind what has been read already and before the timers: as a collection would, the pause
    // lets the detection time end while the router's packets lie unread in another socket.
    node.pauseAtChange = Duration.ofMillis(1500);
    router.sessions.desire(Set.of(single("10.211.1.2"), single("fd00:211:1::2")));
    node.sessions.desire(
        Set.of(
            single("10.211.1.1", new BfdParameters(Duration.ofMillis(300), 20)),
            single("fd00:211:1::1", new BfdParameters(Duration.ofMillis(300), 20))));
    bothUp();
    BfdLab.await(
        "timers that fire late",
        node.sessions::status,
        () -> node.sessions.lateness().max().compareTo(Duration.ofMillis(500)) > 0);
    // Asked behind those timers, on their thread.
    assertThat(node.status("10.211.1.1").state()).isEqualTo(BfdState.UP);
    assertThat(node.status("10.211.1.1").timesDown()).isZero();
  }

  @Test
  void a_port_in_use_is_reported_and_taken_over_when_it_is_free() throws Exception {
    BfdLab.Node other = lab.node(lab.near);
    other.sessions.desire(Set.of(single("10.211.1.7")));
    other.sessions.status();
    node.sessions.desire(Set.of(single("10.211.1.1")));
    router.sessions.desire(Set.of(single("10.211.1.2")));
    assertThat(node.status("10.211.1.1").problem()).contains("in use");
    other.sessions.desire(Set.of());
    bothUp();
    assertThat(node.status("10.211.1.1").problem()).isNull();
  }

  @Test
  void a_link_local_session_survives_its_interface_being_made_anew() throws Exception {
    node.sessions.desire(Set.of(single("fe80::1%end")));
    router.sessions.desire(Set.of(single("fe80::2%near")));
    bothUp();
    lab.ip(lab.near, "link del end");
    assertThat(node.event().change()).isInstanceOf(BfdChange.Down.class);
    assertThat(router.event().change()).isInstanceOf(BfdChange.Down.class);
    BfdLab.await(
        "the missing interface as the problem",
        node.sessions::status,
        () -> node.status("fe80::1%end").problem() != null);
    // Another index than before.
    lab.ip(lab.near, "link add other type bridge");
    lab.link(lab.near, 1, "near");
    bothUp();
    assertThat(node.status("fe80::1%end").problem()).isNull();
  }
}
