package io.margay.agent.firewall.rack;

import io.margay.model.net.IpFamily;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/// Packets as octets: first packets of connections, and the first answers to them. Checksums are
/// right, for connection tracking calls a packet invalid whose are not.
final class Frames {

  /// The gateway's address on every wire.
  private static final long GATEWAY_MAC = 0xeeee_eeee_eeeeL;

  static final int MAX_OCTETS = 160;

  private static final int ETHERNET_OCTETS = 14;
  private static final int MARK = 0x4d61_7267;
  private static final int MARK_OCTETS = 12;

  private static final int TCP_SYN = 0x02;
  private static final int TCP_SYN_ACK = 0x12;

  /// What an initial sequence number and an SCTP tag are, for all: nobody goes on from there.
  private static final int BEGINNING = 0x1000_0000;

  private Frames() {}

  /// Writes the packet as a frame to the gateway.
  ///
  /// @return octets written, from the buffer's first on
  static int frame(ByteBuffer out, Packet packet, long sourceMac) {
    out.order(ByteOrder.BIG_ENDIAN).clear();
    out.putShort((short) (GATEWAY_MAC >>> 32)).putInt((int) GATEWAY_MAC);
    out.putShort((short) (sourceMac >>> 32)).putInt((int) sourceMac);
    out.putShort((short) (packet.family() == IpFamily.IPV4 ? 0x0800 : 0x86dd));
    return packet(out, ETHERNET_OCTETS, packet);
  }

  /// Writes the packet alone.
  ///
  /// @return octets written, from the buffer's first on
  static int packet(ByteBuffer out, Packet packet) {
    out.order(ByteOrder.BIG_ENDIAN).clear();
    return packet(out, 0, packet);
  }

  private static int packet(ByteBuffer out, int start, Packet packet) {
    int payload = start + (packet.family() == IpFamily.IPV4 ? 20 : 40);
    out.position(payload);
    int checksumAt =
        switch (packet.transport()) {
          case TCP -> tcp(out, packet);
          case UDP -> udp(out, packet);
          case SCTP -> sctp(out, packet);
          case ICMP -> icmp(out, packet);
        };
    int end = out.position();
    header(out, start, end, packet);
    if (packet.transport() == Transport.SCTP) {
      CRC32C crc = new CRC32C();
      crc.update(out.duplicate().position(payload).limit(end));
      // RFC 9260 §6.8, appendix A: the lowest octet first.
      out.putInt(checksumAt, Integer.reverseBytes((int) crc.getValue()));
    } else {
      boolean isCovered = packet.transport() != Transport.ICMP || packet.family() == IpFamily.IPV6;
      int sum = isCovered ? pseudoHeader(packet, end - payload) : 0;
      out.putShort(checksumAt, checksum(sum(out, payload, end, sum)));
    }
    return end;
  }

  private static void header(ByteBuffer out, int start, int end, Packet packet) {
    int protocol = packet.transport().number(packet.family());
    switch (packet.family()) {
      case IPV4 -> {
        out.putInt(start, 0x4500_0000 | end - start).putInt(start + 4, 0x4000);
        out.put(start + 8, (byte) 64)
            .put(start + 9, (byte) protocol)
            .putShort(start + 10, (short) 0);
        out.put(start + 12, packet.source().toBytes())
            .put(start + 16, packet.destination().toBytes());
        out.putShort(start + 10, checksum(sum(out, start, start + 20, 0)));
      }
      case IPV6 -> {
        out.putInt(start, 0x6000_0000).putShort(start + 4, (short) (end - start - 40));
        out.put(start + 6, (byte) protocol).put(start + 7, (byte) 64);
        out.put(start + 8, packet.source().toBytes())
            .put(start + 24, packet.destination().toBytes());
      }
    }
  }

  /// @return where its checksum goes
  private static int tcp(ByteBuffer out, Packet packet) {
    int start = out.position();
    ports(out, packet);
    out.putInt(BEGINNING).putInt(packet.isReply() ? BEGINNING + 1 + MARK_OCTETS : 0);
    out.put((byte) 0x50).put((byte) (packet.isReply() ? TCP_SYN_ACK : TCP_SYN));
    out.putShort((short) 0x7fff).putInt(0);
    mark(out, packet);
    return start + 16;
  }

  private static int udp(ByteBuffer out, Packet packet) {
    int start = out.position();
    ports(out, packet);
    out.putShort((short) (8 + MARK_OCTETS)).putShort((short) 0);
    mark(out, packet);
    return start + 6;
  }

  /// INIT or INIT ACK (RFC 9260 §3.3.2, §3.3.3) with a parameter nobody knows and all skip.
  private static int sctp(ByteBuffer out, Packet packet) {
    int start = out.position();
    ports(out, packet);
    out.putInt(packet.isReply() ? BEGINNING : 0).putInt(0);
    out.put((byte) (packet.isReply() ? 2 : 1))
        .put((byte) 0)
        .putShort((short) (20 + 4 + MARK_OCTETS));
    out.putInt(BEGINNING).putInt(65_536).putShort((short) 1).putShort((short) 1).putInt(BEGINNING);
    out.putShort((short) 0x80ff).putShort((short) (4 + MARK_OCTETS));
    mark(out, packet);
    return start + 8;
  }

  private static int icmp(ByteBuffer out, Packet packet) {
    int start = out.position();
    int type =
        switch (packet.family()) {
          case IPV4 -> packet.isReply() ? 0 : 8;
          case IPV6 -> packet.isReply() ? 129 : 128;
        };
    out.put((byte) type).put((byte) 0).putShort((short) 0);
    out.putShort((short) packet.sourcePort()).putShort((short) 1);
    mark(out, packet);
    return start + 2;
  }

  private static void ports(ByteBuffer out, Packet packet) {
    out.putShort((short) packet.sourcePort()).putShort((short) packet.destinationPort());
  }

  private static void mark(ByteBuffer out, Packet packet) {
    out.putInt(MARK).putInt(~packet.id()).putInt(packet.id());
  }

  /// Gives a TCP, UDP or ICMP packet that has been written another number. A number and its
  /// complement add up to the same whatever it is, so the checksum stays right.
  static void renumber(ByteBuffer out, int end, int id) {
    out.putInt(end - 2 * Integer.BYTES, ~id).putInt(end - Integer.BYTES, id);
  }

  /// The number of a received packet, or -1 if it is none of ours.
  static int idOf(ByteBuffer received, int length) {
    ByteBuffer in = received.duplicate().order(ByteOrder.BIG_ENDIAN);
    if (length < MARK_OCTETS || length > in.capacity() || in.getInt(length - MARK_OCTETS) != MARK) {
      return -1;
    }
    return in.getInt(length - Integer.BYTES);
  }

  private static int pseudoHeader(Packet packet, int length) {
    int sum = packet.transport().number(packet.family()) + length;
    for (byte[] address :
        new byte[][] {packet.source().toBytes(), packet.destination().toBytes()}) {
      sum = sum(ByteBuffer.wrap(address), 0, address.length, sum);
    }
    return sum;
  }

  /// All lengths here are even.
  private static int sum(ByteBuffer octets, int from, int to, int sum) {
    int total = sum;
    for (int at = from; at < to; at += 2) {
      total += Short.toUnsignedInt(octets.getShort(at));
    }
    return total;
  }

  private static short checksum(int sum) {
    int folded = (sum & 0xffff) + (sum >>> 16);
    folded = (folded & 0xffff) + (folded >>> 16);
    return (short) ~folded;
  }
}
