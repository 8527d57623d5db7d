package io.margay.bgp.bfd;

import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Ipv4Address;
import io.margay.model.net.Ipv6Address;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;

/// Programs for the kernel's socket filter (classic BPF, linux/filter.h) that drop datagrams by hop
/// limit: the kernel enforces `IP_MINTTL` on TCP only, and Netty hands out no ancillary data. What a
/// filter drops never wakes a thread.
final class HopFilter {

  /// How many peers of a family may demand a higher hop limit than the lowest demanded: the
  /// kernel takes 4096 instructions (`BPF_MAXINSNS`), and an IPv6 peer takes 12.
  static final int MAX_EXCEPTIONS = 300;

  static final int INSTRUCTION_OCTETS = 8;

  // linux/bpf_common.h: class | size | mode, class | operation | operand
  private static final int LOAD_WORD = 0x00 | 0x00 | 0x20;
  private static final int LOAD_OCTET = 0x00 | 0x10 | 0x20;
  private static final int JUMP_IF_EQUAL = 0x05 | 0x10;
  private static final int JUMP_IF_AT_LEAST = 0x05 | 0x30;
  private static final int RETURN = 0x06;

  /// Offsets from here count from the network header (`SKF_NET_OFF`).
  private static final int NETWORK_HEADER = -0x100000;

  // RFC 791 §3.1, RFC 8200 §3
  private static final int IPV4_TTL = 8;
  private static final int IPV4_SOURCE = 12;
  private static final int IPV6_HOP_LIMIT = 7;
  private static final int IPV6_SOURCE = 8;

  private static final int WHOLE = -1;
  private static final int NOTHING = 0;

  private final IpFamily family;
  private final ByteBuffer program =
      ByteBuffer.allocate(4096 * INSTRUCTION_OCTETS).order(ByteOrder.nativeOrder());

  private HopFilter(IpFamily family) {
    this.family = family;
  }

  /// Drops everything: for sockets that only send.
  static ByteBuffer nothing() {
    HopFilter filter = new HopFilter(IpFamily.IPV4);
    filter.instruction(RETURN, 0, 0, NOTHING);
    return filter.program.flip();
  }

  /// Lets in what arrives with at least so many hops left.
  ///
  /// @param least 1 to 255
  /// @param exceptions sources of which more is demanded
  static ByteBuffer atLeast(IpFamily family, int least, Map<IpAddress, Integer> exceptions) {
    if (exceptions.size() > MAX_EXCEPTIONS) {
      throw new IllegalArgumentException(
          exceptions.size() + " sources with hop limits of their own exceed " + MAX_EXCEPTIONS);
    }
    HopFilter filter = new HopFilter(family);
    exceptions.forEach(filter::demandOf);
    filter.demand(least);
    return filter.program.flip();
  }

  private void demandOf(IpAddress source, int least) {
    switch (source) {
      case Ipv4Address(int value) -> {
        instruction(LOAD_WORD, 0, 0, NETWORK_HEADER + IPV4_SOURCE);
        instruction(JUMP_IF_EQUAL, 0, 4, value);
      }
      case Ipv6Address(long high, long low) -> {
        int[] words = {(int) (high >>> 32), (int) high, (int) (low >>> 32), (int) low};
        for (int i = 0; i < words.length; i++) {
          instruction(LOAD_WORD, 0, 0, NETWORK_HEADER + IPV6_SOURCE + 4 * i);
          instruction(JUMP_IF_EQUAL, 0, 4 + 2 * (words.length - 1 - i), words[i]);
        }
      }
    }
    demand(least);
  }

  /// Four instructions that decide.
  private void demand(int least) {
    int hopLimit =
        switch (family) {
          case IPV4 -> IPV4_TTL;
          case IPV6 -> IPV6_HOP_LIMIT;
        };
    instruction(LOAD_OCTET, 0, 0, NETWORK_HEADER + hopLimit);
    instruction(JUMP_IF_AT_LEAST, 0, 1, least);
    instruction(RETURN, 0, 0, WHOLE);
    instruction(RETURN, 0, 0, NOTHING);
  }

  /// `struct sock_filter`.
  private void instruction(int code, int jumpIfTrue, int jumpIfFalse, int operand) {
    program
        .putShort((short) code)
        .put((byte) jumpIfTrue)
        .put((byte) jumpIfFalse)
        .putInt(operand);
  }
}
