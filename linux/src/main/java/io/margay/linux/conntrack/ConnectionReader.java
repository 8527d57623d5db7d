package io.margay.linux.conntrack;

import io.margay.linux.NetlinkException;
import io.margay.linux.netlink.Attribute;
import io.margay.linux.netlink.Attributes;
import io.margay.model.net.IpAddress;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Reads a connection out of ctnetlink's answer (linux/netfilter/nfnetlink_conntrack.h).
final class ConnectionReader {

  private static final int CTA_STATUS = 3;
  private static final int IPS_EXPECTED = 1;
  private static final int IPS_ASSURED = 1 << 2;
  private static final int CTA_PROTOINFO = 4;
  private static final int CTA_PROTOINFO_TCP = 1;
  private static final int CTA_PROTOINFO_TCP_FLAGS_ORIGINAL = 4;
  private static final int CTA_PROTOINFO_TCP_FLAGS_REPLY = 5;

  /// The kernel checks no windows of such a one: it missed the SYNs, which say how to scale them
  /// (`tcp_new` of net/netfilter/nf_conntrack_proto_tcp.c).
  private static final int TCP_BE_LIBERAL = 0x08;

  private static final int CTA_PROTO_ICMP_TYPE = 5;
  private static final int CTA_PROTO_ICMP_CODE = 6;
  private static final int CTA_PROTO_ICMPV6_TYPE = 8;
  private static final int CTA_PROTO_ICMPV6_CODE = 9;

  private ConnectionReader() {}

  /// What one direction of a connection looks like.
  private static final class Tuple {
    private @Nullable IpAddress source;
    private @Nullable IpAddress destination;
    private int protocol;
    private int sourcePort;
    private int destinationPort;
    private int icmpType;
    private int icmpCode;

    static Tuple read(Attribute attribute) throws NetlinkException {
      Tuple tuple = new Tuple();
      for (Attribute half : attribute.nested()) {
        if (half.type() == Conntrack.CTA_TUPLE_IP) {
          tuple.addresses(half);
        } else if (half.type() == Conntrack.CTA_TUPLE_PROTO) {
          tuple.protocol(half);
        }
      }
      return tuple;
    }

    private void addresses(Attribute half) throws NetlinkException {
      for (Attribute part : half.nested()) {
        if (part.type() >= Conntrack.CTA_IP_FIRST && part.type() <= Conntrack.CTA_IP_LAST) {
          IpAddress address = IpAddress.of(part.bytes());
          if ((part.type() - Conntrack.CTA_IP_FIRST) % 2 == 0) {
            source = address;
          } else {
            destination = address;
          }
        }
      }
    }

    private void protocol(Attribute half) throws NetlinkException {
      for (Attribute part : half.nested()) {
        switch (part.type()) {
          case Conntrack.CTA_PROTO_NUM -> protocol = part.u8();
          case Conntrack.CTA_PROTO_SRC_PORT -> sourcePort = part.be16();
          case Conntrack.CTA_PROTO_DST_PORT -> destinationPort = part.be16();
          case CTA_PROTO_ICMP_TYPE, CTA_PROTO_ICMPV6_TYPE -> icmpType = part.u8();
          case CTA_PROTO_ICMP_CODE, CTA_PROTO_ICMPV6_CODE -> icmpCode = part.u8();
          default -> {}
        }
      }
    }
  }

  /// @return empty for one whose ends the kernel does not tell
  static Optional<Connection> read(Attributes attributes) throws NetlinkException {
    Optional<Attribute> originalTuple = attributes.find(Conntrack.CTA_TUPLE_ORIG);
    Optional<Attribute> replyTuple = attributes.find(Conntrack.CTA_TUPLE_REPLY);
    if (originalTuple.isEmpty() || replyTuple.isEmpty()) {
      return Optional.empty();
    }
    Tuple original = Tuple.read(originalTuple.get());
    Tuple reply = Tuple.read(replyTuple.get());
    if (original.source == null
        || original.destination == null
        || reply.source == null
        || reply.destination == null) {
      return Optional.empty();
    }
    Optional<Attribute> given = attributes.find(CTA_STATUS);
    int status = given.isPresent() ? given.get().be32() : 0;
    return Optional.of(
        new Connection(
            original.protocol,
            original.source,
            original.sourcePort,
            original.destination,
            original.destinationPort,
            reply.source,
            reply.sourcePort,
            reply.destination,
            reply.destinationPort,
            original.icmpType,
            original.icmpCode,
            (status & IPS_EXPECTED) != 0,
            (status & IPS_ASSURED) != 0,
            isPickedUp(attributes),
            handle(attributes, originalTuple.get())));
  }

  private static boolean isPickedUp(Attributes attributes) throws NetlinkException {
    Optional<Attribute> state = attributes.find(CTA_PROTOINFO);
    Optional<Attribute> tcp =
        state.isEmpty() ? Optional.empty() : state.get().nested().find(CTA_PROTOINFO_TCP);
    return tcp.isPresent()
        && isLiberal(tcp.get(), CTA_PROTOINFO_TCP_FLAGS_ORIGINAL)
        && isLiberal(tcp.get(), CTA_PROTOINFO_TCP_FLAGS_REPLY);
  }

  private static boolean isLiberal(Attribute tcp, int direction) throws NetlinkException {
    Optional<Attribute> flags = tcp.nested().find(direction);
    return flags.isPresent() && (flags.get().u8() & TCP_BE_LIBERAL) != 0;
  }

  private static Connection.Handle handle(Attributes attributes, Attribute original) {
    return new Connection.Handle(
        original.bytes(),
        octets(attributes.find(Conntrack.CTA_ID)),
        octets(attributes.find(Conntrack.CTA_ZONE)));
  }

  private static byte[] octets(Optional<Attribute> attribute) {
    return attribute.map(Attribute::bytes).orElseGet(() -> new byte[0]);
  }
}
