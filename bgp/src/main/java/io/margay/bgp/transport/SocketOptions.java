package io.margay.bgp.transport;

import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.netty.channel.Channel;
import io.netty.channel.ChannelException;
import io.netty.channel.unix.IntegerUnixChannelOption;
import io.netty.channel.unix.RawUnixChannelOption;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/// The kernel's socket options, by name and number. Each setter throws {@link ChannelException}
/// when the kernel refuses: a connection that lacks its key or hop limit must not come to be.
final class SocketOptions {

  // linux/in.h
  private static final int IPPROTO_IP = 0;
  private static final IntegerUnixChannelOption IP_TOS = integer("IP_TOS", IPPROTO_IP, 1);
  private static final IntegerUnixChannelOption IP_TTL = integer("IP_TTL", IPPROTO_IP, 2);
  private static final IntegerUnixChannelOption IP_MINTTL = integer("IP_MINTTL", IPPROTO_IP, 21);

  // linux/in6.h
  private static final int IPPROTO_IPV6 = 41;
  private static final IntegerUnixChannelOption IPV6_UNICAST_HOPS =
      integer("IPV6_UNICAST_HOPS", IPPROTO_IPV6, 16);
  private static final IntegerUnixChannelOption IPV6_V6ONLY =
      integer("IPV6_V6ONLY", IPPROTO_IPV6, 26);
  private static final IntegerUnixChannelOption IPV6_TCLASS =
      integer("IPV6_TCLASS", IPPROTO_IPV6, 67);
  private static final IntegerUnixChannelOption IPV6_MINHOPCOUNT =
      integer("IPV6_MINHOPCOUNT", IPPROTO_IPV6, 73);

  /// Internetwork control, as routers mark routing protocols (RFC 4594 §3.1: CS6).
  private static final int CS6 = 0xc0;

  // asm-generic/socket.h, linux/if.h
  private static final int IFNAMSIZ = 16;
  private static final RawUnixChannelOption SO_BINDTODEVICE =
      new RawUnixChannelOption("SO_BINDTODEVICE", 1, 25, IFNAMSIZ);

  // linux/tcp.h: struct tcp_md5sig
  private static final int IPPROTO_TCP = 6;
  private static final int MD5SIG_OCTETS = 216;
  private static final int MD5SIG_FLAGS = 128;
  private static final int MD5SIG_PREFIX_LENGTH = 129;
  private static final int MD5SIG_KEY_LENGTH = 130;
  private static final int MD5SIG_KEY = 136;
  private static final byte MD5SIG_FLAG_PREFIX = 1;
  private static final RawUnixChannelOption TCP_MD5SIG_EXT =
      new RawUnixChannelOption("TCP_MD5SIG_EXT", IPPROTO_TCP, 32, MD5SIG_OCTETS);

  // linux/socket.h, linux/in.h, linux/in6.h: sockaddr_in and sockaddr_in6
  private static final short AF_INET = 2;
  private static final short AF_INET6 = 10;
  private static final int SIN_ADDR = 4;
  private static final int SIN6_ADDR = 8;

  private SocketOptions() {}

  private static IntegerUnixChannelOption integer(String name, int level, int number) {
    return new IntegerUnixChannelOption(name, level, number);
  }

  /// @param hops 1 to 255
  static void sendHops(Channel channel, IpFamily family, int hops) {
    channel
        .config()
        .setOption(
            switch (family) {
              case IPV4 -> IP_TTL;
              case IPV6 -> IPV6_UNICAST_HOPS;
            },
            hops);
  }

  /// The kernel drops what arrives with less, unseen by the peer: no RST, no answer.
  ///
  /// @param hops 0 (anything) to 255
  static void requireHops(Channel channel, IpFamily family, int hops) {
    channel
        .config()
        .setOption(
            switch (family) {
              case IPV4 -> IP_MINTTL;
              case IPV6 -> IPV6_MINHOPCOUNT;
            },
            hops);
  }

  static void markAsRouting(Channel channel, IpFamily family) {
    channel
        .config()
        .setOption(
            switch (family) {
              case IPV4 -> IP_TOS;
              case IPV6 -> IPV6_TCLASS;
            },
            CS6);
  }

  static void ipv6Only(Channel channel) {
    channel.config().setOption(IPV6_V6ONLY, 1);
  }

  static void bindToDevice(Channel channel, InterfaceName device) {
    byte[] name = device.value().getBytes(StandardCharsets.UTF_8);
    try {
      channel.config().setOption(SO_BINDTODEVICE, ByteBuffer.allocate(IFNAMSIZ).put(0, name));
    } catch (ChannelException refused) {
      throw new ChannelException(
          "interface " + device + " cannot be used: " + refused.getMessage(), refused);
    }
  }

  /// The interface a socket is bound to. The kernel binds a connection from a link-local address to
  /// the interface it came by.
  static @Nullable InterfaceName device(Channel channel) {
    byte[] name = new byte[IFNAMSIZ];
    channel.config().getOption(SO_BINDTODEVICE).get(0, name);
    int length = 0;
    while (length < IFNAMSIZ && name[length] != 0) {
      length++;
    }
    return length == 0
        ? null
        : new InterfaceName(new String(name, 0, length, StandardCharsets.UTF_8));
  }

  /// Sets, replaces or, without a password, removes the key of these addresses.
  static void setKey(Channel channel, Prefix addresses, @Nullable Password password) {
    try {
      channel.config().setOption(TCP_MD5SIG_EXT, md5sig(addresses, password));
    } catch (ChannelException refused) {
      // A removal the kernel can read fails in one way only: the key is gone already.
      if (password != null) {
        throw new ChannelException(
            "the kernel refuses the TCP MD5 key of " + addresses + ": " + refused.getMessage(),
            refused);
      }
    }
  }

  /// `struct tcp_md5sig`. A key length of zero removes. There is no interface in it: the kernel
  /// takes VRF devices only there (tcp_ipv4.c, tcp_v4_parse_md5_keys).
  static ByteBuffer md5sig(Prefix addresses, @Nullable Password password) {
    ByteBuffer sig = ByteBuffer.allocate(MD5SIG_OCTETS).order(ByteOrder.nativeOrder());
    byte[] address = addresses.address().toBytes();
    switch (addresses.family()) {
      case IPV4 -> sig.putShort(0, AF_INET).put(SIN_ADDR, address);
      case IPV6 -> sig.putShort(0, AF_INET6).put(SIN6_ADDR, address);
    }
    sig.put(MD5SIG_FLAGS, MD5SIG_FLAG_PREFIX).put(MD5SIG_PREFIX_LENGTH, (byte) addresses.length());
    if (password != null) {
      byte[] key = password.toBytes();
      sig.putShort(MD5SIG_KEY_LENGTH, (short) key.length).put(MD5SIG_KEY, key);
    }
    return sig;
  }
}
