package io.margay.bgp.bfd;

import io.margay.model.net.IpFamily;
import io.netty.channel.Channel;
import io.netty.channel.unix.IntegerUnixChannelOption;
import io.netty.channel.unix.RawUnixChannelOption;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/// The kernel's socket options BFD needs. Each setter throws {@link
/// io.netty.channel.ChannelException} when the kernel refuses.
final class DatagramOptions {

  // linux/in.h, linux/in6.h
  private static final int IPPROTO_IP = 0;
  private static final int IPPROTO_IPV6 = 41;
  private static final IntegerUnixChannelOption IP_TOS =
      new IntegerUnixChannelOption("IP_TOS", IPPROTO_IP, 1);
  private static final IntegerUnixChannelOption IP_TTL =
      new IntegerUnixChannelOption("IP_TTL", IPPROTO_IP, 2);
  private static final IntegerUnixChannelOption IPV6_UNICAST_HOPS =
      new IntegerUnixChannelOption("IPV6_UNICAST_HOPS", IPPROTO_IPV6, 16);
  private static final IntegerUnixChannelOption IPV6_V6ONLY =
      new IntegerUnixChannelOption("IPV6_V6ONLY", IPPROTO_IPV6, 26);
  private static final IntegerUnixChannelOption IPV6_TCLASS =
      new IntegerUnixChannelOption("IPV6_TCLASS", IPPROTO_IPV6, 67);

  // asm-generic/socket.h, linux/filter.h: struct sock_fprog of 64-bit systems
  private static final int SOCK_FPROG_OCTETS = 16;
  private static final int SOCK_FPROG_FILTER = 8;
  private static final RawUnixChannelOption SO_ATTACH_FILTER =
      new RawUnixChannelOption("SO_ATTACH_FILTER", 1, 26, SOCK_FPROG_OCTETS);

  /// "BFD control packets MUST be sent with a TTL or Hop Limit value of 255" (RFC 5881 §5).
  static final int HOPS = 255;

  /// Internetwork control (RFC 4594 §3.1: CS6): a queue that drops BFD takes the path down.
  private static final int CS6 = 0xc0;

  private DatagramOptions() {}

  static void prepareToSend(Channel channel, IpFamily family) {
    switch (family) {
      case IPV4 -> {
        channel.config().setOption(IP_TTL, HOPS);
        channel.config().setOption(IP_TOS, CS6);
      }
      case IPV6 -> {
        channel.config().setOption(IPV6_UNICAST_HOPS, HOPS);
        channel.config().setOption(IPV6_TCLASS, CS6);
      }
    }
    filter(channel, HopFilter.nothing());
  }

  static void prepareToReceive(Channel channel, IpFamily family) {
    switch (family) {
      case IPV4 -> {}
      case IPV6 -> channel.config().setOption(IPV6_V6ONLY, 1);
    }
  }

  /// Sets or replaces the filter of a socket. The kernel copies the program.
  static void filter(Channel channel, ByteBuffer program) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment copy = arena.allocate(program.remaining(), Long.BYTES);
      copy.copyFrom(MemorySegment.ofBuffer(program));
      channel
          .config()
          .setOption(
              SO_ATTACH_FILTER,
              ByteBuffer.allocate(SOCK_FPROG_OCTETS)
                  .order(ByteOrder.nativeOrder())
                  .putShort(0, (short) (program.remaining() / HopFilter.INSTRUCTION_OCTETS))
                  .putLong(SOCK_FPROG_FILTER, copy.address()));
    }
  }
}
