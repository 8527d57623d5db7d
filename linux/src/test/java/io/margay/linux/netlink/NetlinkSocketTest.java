package io.margay.linux.netlink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.linux.Errno;
import io.margay.linux.LinuxException;
import io.margay.linux.NetlinkException;
import io.margay.linux.netns.TestNetns;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("netns")
class NetlinkSocketTest {

  private static final int RTM_NEWLINK = 16;
  private static final int RTM_NEWROUTE = 24;
  private static final int NFT_NEWTABLE = 10 << 8;

  private static NetlinkMessage blackhole(int number, boolean isGood) {
    byte[] address = {10, 100, (byte) (number >>> 8), (byte) number};
    return new MessageBuilder(
            RTM_NEWROUTE,
            NetlinkMessage.CREATE | NetlinkMessage.EXCL,
            "add route",
            "number " + number)
        .u8(2)
        .u8(isGood ? 32 : 33)
        .u8(0)
        .u8(0)
        .u8(254)
        .u8(117)
        .u8(0)
        .u8(6)
        .u32(0)
        .attr(1, address)
        .build();
  }

  @Test
  void failures_of_a_long_batch_name_their_message_and_the_kernels_words() throws Exception {
    try (TestNetns netns = TestNetns.create();
        NetlinkSocket socket = NetlinkSocket.openIn(netns.fd(), NetlinkSocket.ROUTE)) {
      List<NetlinkMessage> messages = new ArrayList<>();
      for (int i = 0; i < 2500; i++) {
        messages.add(blackhole(i, i != 17 && i != 1999 && i != 2499));
      }
      List<NetlinkFailure> failures = socket.batch(messages);
      assertThat(failures).extracting(NetlinkFailure::index).containsExactly(17, 1999, 2499);
      assertThat(failures).allMatch(failure -> failure.errno().equals(Errno.EINVAL));
      assertThat(failures.getFirst().toException())
          .hasMessage("add route number 17: EINVAL (Invalid prefix length)");
      assertThat(socket.batch(messages)).as("all exist now").hasSize(2500);
      assertThat(netns.ip("-4 route show proto 117").lines().count()).isEqualTo(2497);
    }
  }

  @Test
  void an_nf_tables_transaction_is_all_or_nothing() throws Exception {
    try (TestNetns netns = TestNetns.create();
        NetlinkSocket socket = NetlinkSocket.openIn(netns.fd(), NetlinkSocket.NETFILTER)) {
      assertThat(socket.transaction(tables("margay", "other"), 2)).isEmpty();
      List<NetlinkFailure> failures = socket.transaction(tables("third", "margay"), 2);
      assertThat(failures).extracting(NetlinkFailure::index).containsExactly(2);
      assertThat(failures.getFirst().errno()).isEqualTo(Errno.EEXIST);
      NetlinkMessage question =
          new MessageBuilder(NFT_NEWTABLE | 1, 0, "list", "tables").u8(0).u8(0).be16(0).build();
      assertThat(socket.dump(question))
          .extracting(message -> message.attributes(4).string(1, ""))
          .containsExactlyInAnyOrder("margay", "other");
    }
  }

  private static List<NetlinkMessage> tables(String first, String second) {
    return List.of(
        new MessageBuilder(16, 0, "begin", "batch").u8(0).u8(0).be16(10).build(),
        table(first),
        table(second),
        new MessageBuilder(17, 0, "end", "batch").u8(0).u8(0).be16(10).build());
  }

  private static NetlinkMessage table(String name) {
    int flags = NetlinkMessage.CREATE | NetlinkMessage.EXCL;
    return new MessageBuilder(NFT_NEWTABLE, flags, "add table", name)
        .u8(2)
        .u8(0)
        .be16(0)
        .attrString(1, name)
        .build();
  }

  @Test
  void a_dump_is_whole_while_somebody_changes_the_table() throws Exception {
    try (TestNetns netns = TestNetns.create();
        NetlinkSocket writer = NetlinkSocket.openIn(netns.fd(), NetlinkSocket.ROUTE);
        NetlinkSocket reader = NetlinkSocket.openIn(netns.fd(), NetlinkSocket.ROUTE)) {
      for (int i = 0; i < 60; i++) {
        netns.ip("link add w" + i + " type veth peer name x" + i);
      }
      NetlinkMessage question =
          new MessageBuilder(18, 0, "list", "links")
              .u8(0)
              .u8(0)
              .u16(0)
              .u32(0)
              .u32(0)
              .u32(0)
              .build();
      NetlinkMessage touch =
          new MessageBuilder(RTM_NEWLINK, 0, "set alias", "w0")
              .u8(0)
              .u8(0)
              .u16(0)
              .u32(0)
              .u32(0)
              .u32(0)
              .attrString(3, "w0")
              .attrString(20, "margay:x")
              .build();
      for (int i = 0; i < 200; i++) {
        writer.request(touch);
        assertThat(reader.dump(question)).hasSize(121);
      }
    }
  }

  @Test
  void a_second_thread_at_once_or_a_closed_socket_is_a_bug() throws Exception {
    try (TestNetns netns = TestNetns.create()) {
      NetlinkSocket socket = NetlinkSocket.openIn(netns.fd(), NetlinkSocket.ROUTE);
      socket.request(blackhole(1, true));
      assertThatThrownBy(() -> socket.request(blackhole(2, false)))
          .isInstanceOf(NetlinkException.class);
      socket.close();
      socket.close();
      assertThatThrownBy(() -> socket.request(blackhole(3, true)))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("is closed");
    }
  }

  @Test
  void a_listener_that_cannot_keep_up_is_told_so_and_when_it_has_caught_up() throws Exception {
    CountDownLatch first = new CountDownLatch(1);
    CountDownLatch flooded = new CountDownLatch(1);
    CountDownLatch overrun = new CountDownLatch(2);
    NetlinkListener.Events slow =
        new NetlinkListener.Events() {
          @Override
          public void onMessage(NetlinkMessage message) {
            first.countDown();
            try {
              flooded.await();
            } catch (InterruptedException e) {
              throw new IllegalStateException(e);
            }
          }

          @Override
          public void onOverrun() {
            overrun.countDown();
          }

          @Override
          public void onFailure(LinuxException cause) {
            throw new IllegalStateException(cause);
          }
        };
    try (TestNetns netns = TestNetns.create();
        NetlinkSocket socket = NetlinkSocket.openIn(netns.fd(), NetlinkSocket.ROUTE);
        NetlinkListener _ =
            NetlinkListener.start(
                "slow",
                netns.fd(),
                NetlinkSocket.ROUTE,
                List.of(NetlinkListener.RTNLGRP_IPV4_ROUTE),
                slow)) {
      List<NetlinkMessage> messages = new ArrayList<>();
      for (int i = 0; i < 60_000; i++) {
        messages.add(blackhole(i, true));
      }
      assertThat(socket.batch(messages)).isEmpty();
      assertThat(first.await(20, TimeUnit.SECONDS)).isTrue();
      flooded.countDown();
      assertThat(overrun.await(20, TimeUnit.SECONDS)).isTrue();
    }
  }
}
