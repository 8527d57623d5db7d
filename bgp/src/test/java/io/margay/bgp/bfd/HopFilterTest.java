package io.margay.bgp.bfd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.ScopedAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class HopFilterTest {

  private static BfdPeer multi(IpFamily family, int number, int minTtl) {
    String base =
        switch (family) {
          case IPV4 -> "10.0.0.0";
          case IPV6 -> "fd00::";
        };
    return new BfdPeer(
        ScopedAddress.of(IpAddress.parse(base).plus(number)),
        IpAddress.parse(base),
        new BfdPeer.Hops.Multi(minTtl),
        BfdParameters.DEFAULT);
  }

  private static ByteBuffer packet(IpFamily family, IpAddress source, int hops) {
    return switch (family) {
      case IPV4 -> ByteBuffer.allocate(20).put(8, (byte) hops).put(12, source.toBytes());
      case IPV6 -> ByteBuffer.allocate(40).put(7, (byte) hops).put(8, source.toBytes());
    };
  }

  /// The four instructions of classic BPF that occur, over the network header.
  private static boolean passes(ByteBuffer program, ByteBuffer header) {
    ByteBuffer code = program.duplicate().order(ByteOrder.nativeOrder());
    int accumulator = 0;
    int at = 0;
    while (true) {
      int start = at * HopFilter.INSTRUCTION_OCTETS;
      int operand = code.getInt(start + 4);
      at++;
      boolean holds;
      switch (code.getShort(start)) {
        case 0x20 -> {
          accumulator = header.getInt(operand + 0x100000);
          continue;
        }
        case 0x30 -> {
          accumulator = header.get(operand + 0x100000) & 0xff;
          continue;
        }
        case 0x06 -> {
          return operand != 0;
        }
        case 0x15 -> holds = accumulator == operand;
        case 0x35 -> holds = Integer.compareUnsigned(accumulator, operand) >= 0;
        default -> throw new AssertionError("instruction " + code.getShort(start));
      }
      at += code.get(start + (holds ? 2 : 3)) & 0xff;
    }
  }

  @ParameterizedTest
  @EnumSource(IpFamily.class)
  void a_single_hop_packet_arrives_with_255(IpFamily family) {
    BfdPeer peer = multi(family, 1, 255);
    BfdPeer single =
        new BfdPeer(peer.peer(), null, new BfdPeer.Hops.Single(), BfdParameters.DEFAULT);
    ByteBuffer program = HopFilter.of(family, List.of(single));
    for (int hops = 0; hops <= 255; hops++) {
      assertThat(passes(program, packet(family, peer.peer().address(), hops)))
          .isEqualTo(hops == 255);
    }
  }

  @ParameterizedTest
  @EnumSource(IpFamily.class)
  void every_multihop_peer_needs_its_own_minimum_and_strangers_the_lowest(IpFamily family) {
    List<BfdPeer> peers = new ArrayList<>();
    for (int i = 1; i <= HopFilter.MAX_EXCEPTIONS; i++) {
      peers.add(multi(family, i, 1 + i % 255));
    }
    ByteBuffer program = HopFilter.of(family, peers);
    assertThat(program.remaining() / HopFilter.INSTRUCTION_OCTETS).isLessThanOrEqualTo(4096);
    for (BfdPeer peer : peers) {
      int least = ((BfdPeer.Hops.Multi) peer.hops()).minTtl();
      IpAddress source = peer.peer().address();
      assertThat(passes(program, packet(family, source, least))).isTrue();
      assertThat(passes(program, packet(family, source, least - 1))).isFalse();
    }
    IpAddress stranger = multi(family, 100_000, 1).peer().address();
    assertThat(passes(program, packet(family, stranger, 1))).isTrue();
    assertThat(passes(program, packet(family, stranger, 0))).isFalse();
  }

  @Test
  void more_exceptions_than_a_program_can_hold_are_refused_with_advice() {
    List<BfdPeer> peers = new ArrayList<>();
    peers.add(multi(IpFamily.IPV6, 0xffff, 1));
    for (int i = 1; i <= HopFilter.MAX_EXCEPTIONS; i++) {
      peers.add(multi(IpFamily.IPV6, i, 200));
    }
    assertThatCode(() -> HopFilter.check(peers)).doesNotThrowAnyException();
    peers.add(multi(IpFamily.IPV6, 0xfffe, 200));
    assertThatThrownBy(() -> HopFilter.check(peers))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("use one minimum");
  }

  @Test
  void a_socket_that_only_sends_takes_nothing() {
    assertThat(passes(HopFilter.nothing(), packet(IpFamily.IPV4, IpAddress.parse("10.0.0.1"), 255)))
        .isFalse();
  }
}
