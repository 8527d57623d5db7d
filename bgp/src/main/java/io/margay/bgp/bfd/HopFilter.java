package io.margay.bgp.bfd;

import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Ipv4Address;
import io.margay.model.net.Ipv6Address;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;

/// Programs for the kernel's socket filter (classic BPF, linux/filter.h) that drop datagrams by hop
/// limit: the kernel enforces `IP_MINTTL` on TCP only, and Netty hands out no ancillary data. What
/// a filter drops never wakes a thread.
final class HopFilter {

  /// How many peers of a family may demand a higher hop limit than the lowest demanded: the kernel
  /// takes 4096 instructions (`BPF_MAXINSNS`), and an IPv6 peer takes 12.
  static final int MAX_EXCEPTIONS = 300;

  static final int INSTRUCTION_OCTETS = 8;

  // linux/bpf_common.h: class | size | mode, class | operation | operand
  private static final int LOAD_WORD = 0x20;
  private static final int LOAD_OCTET = 0x10 | 0x20;
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

  /// Lets in what arrives with as many hops left as its peer must have, and of a stranger what the
  /// nearest peer could have sent. RFC 5881 §5: single-hop packets with less than 255 are dropped;
  /// RFC 5883 §4 leaves the bound of the others to configuration.
  ///
  /// @param peers of one family and one distance
  static ByteBuffer of(IpFamily family, Collection<BfdPeer> peers) {
    HopFilter filter = new HopFilter(family);
    int least = lowest(peers);
    exceptions(peers, least).forEach(filter::demandOf);
    filter.demand(least);
    return filter.program.flip();
  }

  /// @throws IllegalArgumentException when these peers have no filter
  static void check(Collection<BfdPeer> peers) {
    int exceptions = exceptions(peers, lowest(peers)).size();
    if (exceptions > MAX_EXCEPTIONS) {
      throw new IllegalArgumentException(
          exceptions
              + " BFD peers have a minimum TTL above the lowest of all; "
              + MAX_EXCEPTIONS
              + " can have: use one minimum for most of them");
    }
  }

  private static int lowest(Collection<BfdPeer> peers) {
    return peers.stream().mapToInt(HopFilter::leastHops).min().orElse(DatagramOptions.HOPS);
  }

  private static Map<IpAddress, Integer> exceptions(Collection<BfdPeer> peers, int lowest) {
    Map<IpAddress, Integer> exceptions = new HashMap<>();
    for (BfdPeer peer : peers) {
      if (leastHops(peer) > lowest) {
        exceptions.put(peer.peer().address(), leastHops(peer));
      }
    }
    return exceptions;
  }

  private static int leastHops(BfdPeer peer) {
    return switch (peer.hops()) {
      case BfdPeer.Hops.Single() -> DatagramOptions.HOPS;
      case BfdPeer.Hops.Multi(int minTtl) -> minTtl;
    };
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
    program.putShort((short) code).put((byte) jumpIfTrue).put((byte) jumpIfFalse).putInt(operand);
  }
}
