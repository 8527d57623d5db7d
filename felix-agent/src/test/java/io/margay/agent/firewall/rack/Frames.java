package io.margay.agent.firewall.rack;

import io.margay.model.net.IpFamily;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/// Packets as octets. Checksums are right, for connection tracking calls a packet invalid whose are
/// not.
final class Frames {

  /// The gateway's address on every wire.
  private static final long GATEWAY_MAC = 0xeeee_eeee_eeeeL;

  static final int MAX_OCTETS = 160;

  private static final int ETHERNET_OCTETS = 14;
  private static final int MARK = 0x4d61_7267;
  private static final int MARK_OCTETS = 12;

  private static final int ICMP = 1;
  private static final int TCP = 6;
  private static final int UDP = 17;
  private static final int ICMPV6 = 58;
  private static final int SCTP = 132;

  private static final int TCP_SYN = 0x02;
  private static final int TCP_ACK = 0x10;
  private static final int TCP_SYN_ACK = 0x12;

  /// What an initial sequence number and an SCTP tag are, for all: nobody goes on from there.
  private static final int BEGINNING = 0x1000_0000;

  /// More than any window that is scaled as far as can be (RFC 7323 §2.3).
  private static final int BEYOND_WINDOW = 0x4000_0000;

  /// What a packet was too big for; the least an IPv6 link may have (RFC 8200 §5).
  private static final int SMALL_MTU = 1280;

  private Frames() {}

  /// Writes the packet as a frame to the gateway.
  ///
  /// @return octets written, from the buffer's first on
  static int frame(ByteBuffer out, Datagram packet, long sourceMac) {
    out.order(ByteOrder.BIG_ENDIAN).clear();
    out.putShort((short) (GATEWAY_MAC >>> 32)).putInt((int) GATEWAY_MAC);
    out.putShort((short) (sourceMac >>> 32)).putInt((int) sourceMac);
    out.putShort((short) (packet.family() == IpFamily.IPV4 ? 0x0800 : 0x86dd));
    return packet(out, ETHERNET_OCTETS, packet);
  }

  /// Writes the packet alone.
  ///
  /// @return octets written, from the buffer's first on
  static int packet(ByteBuffer out, Datagram packet) {
    out.order(ByteOrder.BIG_ENDIAN).clear();
    return packet(out, 0, packet);
  }

  private static int packet(ByteBuffer out, int start, Datagram packet) {
    int payload = start + (packet.family() == IpFamily.IPV4 ? 20 : 40);
    out.position(payload);
    switch (packet) {
      case Packet plain -> plain(out, plain);
      case StraySegment stray -> tcp(out, stray.of(), BEGINNING + BEYOND_WINDOW, TCP_ACK);
      case IcmpError error -> icmpError(out, error);
      case LinkMessage message -> linkMessage(out, message);
      case Tunnelled(_, _, Packet inner) -> packet(out, payload, inner);
    }
    int end = out.position();
    header(out, start, end, packet);
    checksum(out, payload, end, packet);
    return end;
  }

  private static void plain(ByteBuffer out, Packet packet) {
    switch (packet.transport()) {
      case TCP -> tcp(out, packet, BEGINNING, packet.isReply() ? TCP_SYN_ACK : TCP_SYN);
      case UDP -> udp(out, packet);
      case SCTP -> sctp(out, packet);
      case ICMP -> echo(out, packet);
    }
  }

  private static void header(ByteBuffer out, int start, int end, Datagram packet) {
    byte protocol = (byte) packet.protocol();
    byte hopLimit = (byte) packet.hopLimit();
    switch (packet.family()) {
      case IPV4 -> {
        out.putInt(start, 0x4500_0000 | end - start).putInt(start + 4, 0x4000);
        out.put(start + 8, hopLimit).put(start + 9, protocol).putShort(start + 10, (short) 0);
        out.put(start + 12, packet.source().toBytes())
            .put(start + 16, packet.destination().toBytes());
        out.putShort(start + 10, checksum(sum(out, start, start + 20, 0)));
      }
      case IPV6 -> {
        out.putInt(start, 0x6000_0000).putShort(start + 4, (short) (end - start - 40));
        out.put(start + 6, protocol).put(start + 7, hopLimit);
        out.put(start + 8, packet.source().toBytes())
            .put(start + 24, packet.destination().toBytes());
      }
    }
  }

  /// Fills in the checksum of what is behind the header, which holds zeros in its place.
  private static void checksum(ByteBuffer out, int payload, int end, Datagram packet) {
    switch (packet.protocol()) {
      case TCP -> out.putShort(payload + 16, covered(out, payload, end, packet));
      case UDP -> out.putShort(payload + 6, covered(out, payload, end, packet));
      case ICMPV6 -> out.putShort(payload + 2, covered(out, payload, end, packet));
      case ICMP -> out.putShort(payload + 2, checksum(sum(out, payload, end, 0)));
      case SCTP -> {
        CRC32C crc = new CRC32C();
        crc.update(out.duplicate().position(payload).limit(end));
        // RFC 9260 §6.8, appendix A: the lowest octet first.
        out.putInt(payload + 8, Integer.reverseBytes((int) crc.getValue()));
      }
      default -> {}
    }
  }

  private static void tcp(ByteBuffer out, Packet packet, int sequence, int flags) {
    ports(out, packet);
    out.putInt(sequence).putInt(flags == TCP_SYN ? 0 : BEGINNING + 1 + MARK_OCTETS);
    out.put((byte) 0x50).put((byte) flags);
    out.putShort((short) 0x7fff).putInt(0);
    mark(out, packet);
  }

  private static void udp(ByteBuffer out, Packet packet) {
    ports(out, packet);
    out.putShort((short) (8 + MARK_OCTETS)).putShort((short) 0);
    mark(out, packet);
  }

  /// INIT or INIT ACK (RFC 9260 §3.3.2, §3.3.3) with a parameter nobody knows and all skip.
  private static void sctp(ByteBuffer out, Packet packet) {
    ports(out, packet);
    out.putInt(packet.isReply() ? BEGINNING : 0).putInt(0);
    out.put((byte) (packet.isReply() ? 2 : 1))
        .put((byte) 0)
        .putShort((short) (20 + 4 + MARK_OCTETS));
    out.putInt(BEGINNING).putInt(65_536).putShort((short) 1).putShort((short) 1).putInt(BEGINNING);
    out.putShort((short) 0x80ff).putShort((short) (4 + MARK_OCTETS));
    mark(out, packet);
  }

  private static void echo(ByteBuffer out, Packet packet) {
    int type =
        switch (packet.family()) {
          case IPV4 -> packet.isReply() ? 0 : 8;
          case IPV6 -> packet.isReply() ? 129 : 128;
        };
    icmp(out, type, 0);
    out.putShort((short) packet.sourcePort()).putShort((short) 1);
    mark(out, packet);
  }

  /// The packet it is about comes whole.
  private static void icmpError(ByteBuffer out, IcmpError error) {
    icmp(out, error.kind().type(error.family()), error.kind().code(error.family()));
    out.putInt(error.kind() == IcmpError.Kind.TOO_BIG ? SMALL_MTU : 0);
    packet(out, out.position(), error.quoted());
  }

  private static void linkMessage(ByteBuffer out, LinkMessage message) {
    icmp(out, message.type(), 0);
    out.putInt(0).putLong(0).putLong(0); // no such target, no such group
    mark(out, message);
  }

  private static void icmp(ByteBuffer out, int type, int code) {
    out.put((byte) type).put((byte) code).putShort((short) 0);
  }

  private static void ports(ByteBuffer out, Packet packet) {
    out.putShort((short) packet.sourcePort()).putShort((short) packet.destinationPort());
  }

  private static void mark(ByteBuffer out, Datagram packet) {
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

  private static short covered(ByteBuffer out, int payload, int end, Datagram packet) {
    return checksum(sum(out, payload, end, pseudoHeader(packet, end - payload)));
  }

  private static int pseudoHeader(Datagram packet, int length) {
    int sum = packet.protocol() + length;
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
