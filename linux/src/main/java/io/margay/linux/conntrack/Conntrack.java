package io.margay.linux.conntrack;

import io.margay.linux.Errno;
import io.margay.linux.LinuxException;
import io.margay.linux.NetlinkException;
import io.margay.linux.netlink.Attribute;
import io.margay.linux.netlink.Attributes;
import io.margay.linux.netlink.MessageBuilder;
import io.margay.linux.netlink.NetlinkFailure;
import io.margay.linux.netlink.NetlinkMessage;
import io.margay.linux.netlink.NetlinkSocket;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/// The connection tracking table of one namespace (ctnetlink). One thread at a time.
public final class Conntrack implements AutoCloseable {

  // linux/netfilter/nfnetlink_conntrack.h
  private static final int SUBSYSTEM = 1 << 8;
  private static final int GET = SUBSYSTEM | 1;
  private static final int DELETE = SUBSYSTEM | 2;
  private static final int GET_STATS = SUBSYSTEM | 5;
  private static final int NFGENMSG_OCTETS = 4;
  static final int CTA_TUPLE_ORIG = 1;
  static final int CTA_TUPLE_REPLY = 2;
  static final int CTA_ID = 12;
  static final int CTA_ZONE = 18;
  private static final int CTA_FILTER = 25;
  private static final int CTA_STATS_GLOBAL_ENTRIES = 1;
  static final int CTA_TUPLE_IP = 1;
  static final int CTA_TUPLE_PROTO = 2;
  static final int CTA_PROTO_NUM = 1;
  static final int CTA_PROTO_SRC_PORT = 2;
  static final int CTA_PROTO_DST_PORT = 3;
  private static final int CTA_FILTER_ORIG_FLAGS = 1;
  private static final int CTA_FILTER_REPLY_FLAGS = 2;

  // net/netfilter/nf_internals.h: which parts of a tuple a filter compares.
  private static final int FILTER_SOURCE = 1;
  private static final int FILTER_DESTINATION = 1 << 1;
  private static final int FILTER_PROTO_NUM = 1 << 3;
  private static final int FILTER_DST_PORT = 1 << 5;

  static final int CTA_IP_FIRST = 1; // IPv4 source and destination, then IPv6's
  static final int CTA_IP_LAST = 4;
  private static final int NLA_F_NESTED = 0x8000;

  /// Asking for one address reads the kernel's whole table four times without copying it out;
  /// beyond so many addresses it is cheaper to have it all.
  private static final int MAX_ADDRESSES_ASKED_FOR = 2;

  /// And where the table holds no more than so many flows, it is cheaper for any address.
  private static final int FEW_FLOWS = 500;

  private final NetlinkSocket socket;
  private final int fewFlows;

  private Conntrack(NetlinkSocket socket, int fewFlows) {
    this.socket = socket;
    this.fewFlows = fewFlows;
  }

  /// For the calling thread's namespace.
  public static Conntrack open() throws LinuxException {
    return new Conntrack(NetlinkSocket.open(NetlinkSocket.NETFILTER), FEW_FLOWS);
  }

  /// For the namespace behind a descriptor.
  public static Conntrack inNetns(int netnsFd) throws LinuxException {
    return inNetns(netnsFd, FEW_FLOWS);
  }

  /// @param fewFlows up to how many the whole table is read
  static Conntrack inNetns(int netnsFd, int fewFlows) throws LinuxException {
    return new Conntrack(NetlinkSocket.openIn(netnsFd, NetlinkSocket.NETFILTER), fewFlows);
  }

  /// Deletes every flow in which one of the addresses is source or destination, before or after
  /// translation, in any zone. Reads the family's whole table once, so collect addresses.
  ///
  /// @param addresses of one family or both
  /// @return how many flows were deleted; one that ended meanwhile does not count
  /// @throws NetlinkException when the table cannot be read or a flow not be deleted
  public int deleteFlows(Set<IpAddress> addresses) throws LinuxException {
    if (size() == 0) {
      return 0;
    }
    int deleted = 0;
    for (IpFamily family : IpFamily.values()) {
      if (addresses.stream().anyMatch(address -> address.family() == family)) {
        deleted += deleteFlows(family, addresses);
      }
    }
    return deleted;
  }

  private int deleteFlows(IpFamily family, Set<IpAddress> addresses) throws LinuxException {
    List<NetlinkMessage> deletions = new ArrayList<>();
    for (NetlinkMessage flow : socket.dump(question(family).build())) {
      Attributes attributes = flow.attributes(NFGENMSG_OCTETS);
      Optional<Attribute> original = attributes.find(CTA_TUPLE_ORIG);
      if (original.isPresent()
          && (names(original, addresses) || names(attributes.find(CTA_TUPLE_REPLY), addresses))) {
        deletions.add(deletion(family, attributes, original.get()));
      }
    }
    return carryOut(deletions);
  }

  /// Deletes the flows of a protocol to a port that `which` chooses, in any zone. The kernel hands
  /// over those alone (from 5.8 on; an older one its whole table), so it is cheap on a busy node.
  ///
  /// @param protocol IP protocol number of one with ports
  /// @param destinationPort of a flow's first packet
  /// @return how many flows were deleted; one that ended meanwhile does not count
  /// @throws NetlinkException when the table cannot be read or a flow not be deleted
  public int deleteFlows(IpFamily family, int protocol, int destinationPort, Predicate<Flow> which)
      throws LinuxException {
    if (size() == 0) {
      return 0;
    }
    MessageBuilder question =
        question(family)
            .nest(
                CTA_TUPLE_ORIG,
                tuple ->
                    tuple.nest(
                        CTA_TUPLE_PROTO,
                        proto ->
                            proto
                                .attrU8(CTA_PROTO_NUM, protocol)
                                .attrBe16(CTA_PROTO_DST_PORT, destinationPort)))
            .nest(
                CTA_FILTER,
                filter ->
                    filter.attrU32(CTA_FILTER_ORIG_FLAGS, FILTER_PROTO_NUM | FILTER_DST_PORT));
    List<NetlinkMessage> deletions = new ArrayList<>();
    for (NetlinkMessage message : socket.dump(question.build())) {
      Attributes attributes = message.attributes(NFGENMSG_OCTETS);
      Optional<Flow> flow = flow(family, attributes);
      if (flow.isPresent()
          && flow.get().protocol() == protocol
          && flow.get().destinationPort() == destinationPort
          && which.test(flow.get())) {
        deletions.add(deletion(family, attributes, attributes.find(CTA_TUPLE_ORIG).orElseThrow()));
      }
    }
    return carryOut(deletions);
  }

  /// How many flows of either family the namespace tracks. The kernel knows that without reading
  /// its table, which takes it milliseconds even when nothing is in it.
  ///
  /// @throws NetlinkException when the kernel does not tell
  public int size() throws LinuxException {
    MessageBuilder question =
        header(new MessageBuilder(GET_STATS, 0, "count", "tracked flows"), IpFamily.IPV4);
    return socket
        .get(question.build())
        .attributes(NFGENMSG_OCTETS)
        .find(CTA_STATS_GLOBAL_ENTRIES)
        .orElseThrow()
        .be32();
  }

  /// The connections of a family that `which` chooses, in any zone. The others are not held.
  ///
  /// @throws NetlinkException when the table cannot be read
  public List<Connection> connections(IpFamily family, Predicate<Connection> which)
      throws LinuxException {
    return read(question(family).build(), which);
  }

  /// The connections of a family in which one of the addresses is source or destination, before or
  /// after translation, in any zone. For a few addresses the kernel hands over theirs alone (from
  /// 5.8 on; an older one its whole table).
  ///
  /// @return one that has an address as both source and destination may be there twice
  /// @throws NetlinkException when the table cannot be read
  public List<Connection> connections(IpFamily family, Set<IpAddress> addresses)
      throws LinuxException {
    return connections(family, addresses, _ -> true);
  }

  /// Those among them that `among` chooses.
  public List<Connection> connections(
      IpFamily family, Set<IpAddress> addresses, Predicate<Connection> among)
      throws LinuxException {
    List<IpAddress> own = addresses.stream().filter(address -> address.family() == family).toList();
    Predicate<Connection> touching = connection -> connection.touches(own::contains);
    Predicate<Connection> which = touching.and(among);
    int size = own.isEmpty() ? 0 : size();
    if (size == 0) {
      return List.of();
    }
    if (own.size() > MAX_ADDRESSES_ASKED_FOR || size <= fewFlows) {
      return connections(family, which);
    }
    List<Connection> found = new ArrayList<>();
    Set<IpAddress> asked = new HashSet<>();
    for (IpAddress address : own) {
      Predicate<Connection> isNew = connection -> !connection.touches(asked::contains);
      for (int tuple : new int[] {CTA_TUPLE_ORIG, CTA_TUPLE_REPLY}) {
        Predicate<Connection> isTold =
            tuple == CTA_TUPLE_ORIG
                ? isNew
                : isNew.and(
                    connection ->
                        !connection.source().equals(address)
                            && !connection.destination().equals(address));
        for (int flag : new int[] {FILTER_SOURCE, FILTER_DESTINATION}) {
          found.addAll(
              read(question(family, address, tuple, flag), touching.and(isTold).and(among)));
        }
      }
      asked.add(address);
    }
    return found;
  }

  private List<Connection> read(NetlinkMessage question, Predicate<Connection> which)
      throws LinuxException {
    List<Connection> found = new ArrayList<>();
    socket.dump(
        question,
        () -> {
          found.clear();
          return message ->
              ConnectionReader.read(message.attributes(NFGENMSG_OCTETS))
                  .filter(which)
                  .ifPresent(found::add);
        });
    return found;
  }

  /// Asks for the flows with an address at one place.
  ///
  /// @param tuple CTA_TUPLE_ORIG or CTA_TUPLE_REPLY
  /// @param flag FILTER_SOURCE or FILTER_DESTINATION
  private static NetlinkMessage question(IpFamily family, IpAddress address, int tuple, int flag) {
    int part = CTA_IP_FIRST + (family == IpFamily.IPV4 ? 0 : 2) + (flag == FILTER_SOURCE ? 0 : 1);
    return question(family)
        .nest(tuple, it -> it.nest(CTA_TUPLE_IP, ip -> ip.attr(part, address.toBytes())))
        .nest(
            CTA_FILTER,
            filter ->
                filter
                    .attrU32(CTA_FILTER_ORIG_FLAGS, tuple == CTA_TUPLE_ORIG ? flag : 0)
                    .attrU32(CTA_FILTER_REPLY_FLAGS, tuple == CTA_TUPLE_REPLY ? flag : 0))
        .build();
  }

  /// Forgets connections.
  ///
  /// @return how many were deleted; one that ended meanwhile does not count
  /// @throws NetlinkException when one cannot be deleted
  public int delete(Collection<Connection> connections) throws LinuxException {
    List<NetlinkMessage> deletions = new ArrayList<>();
    for (Connection connection : connections) {
      Connection.Handle handle = connection.handle();
      MessageBuilder message =
          header(
                  new MessageBuilder(DELETE, 0, "delete connection", "by its tuple"),
                  connection.family())
              .attr(CTA_TUPLE_ORIG | NLA_F_NESTED, handle.originalTuple)
              .attr(CTA_ID, handle.id);
      if (handle.zone.length > 0) {
        message.attr(CTA_ZONE, handle.zone);
      }
      deletions.add(message.build());
    }
    return carryOut(deletions);
  }

  /// Empty for a protocol without ports.
  private static Optional<Flow> flow(IpFamily family, Attributes attributes)
      throws NetlinkException {
    Optional<Attribute> original = attributes.find(CTA_TUPLE_ORIG);
    Optional<Attribute> reply = attributes.find(CTA_TUPLE_REPLY);
    if (original.isEmpty() || reply.isEmpty()) {
      return Optional.empty();
    }
    int source = family == IpFamily.IPV4 ? CTA_IP_FIRST : CTA_IP_FIRST + 2;
    Optional<Attribute> destination = part(original.get(), CTA_TUPLE_IP, source + 1);
    Optional<Attribute> answerer = part(reply.get(), CTA_TUPLE_IP, source);
    Optional<Attribute> protocol = part(original.get(), CTA_TUPLE_PROTO, CTA_PROTO_NUM);
    Optional<Attribute> port = part(original.get(), CTA_TUPLE_PROTO, CTA_PROTO_DST_PORT);
    Optional<Attribute> answererPort = part(reply.get(), CTA_TUPLE_PROTO, CTA_PROTO_SRC_PORT);
    if (destination.isEmpty()
        || answerer.isEmpty()
        || protocol.isEmpty()
        || port.isEmpty()
        || answererPort.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        new Flow(
            protocol.get().u8(),
            IpAddress.of(destination.get().bytes()),
            port.get().be16(),
            IpAddress.of(answerer.get().bytes()),
            answererPort.get().be16()));
  }

  private static Optional<Attribute> part(Attribute tuple, int half, int part)
      throws NetlinkException {
    Optional<Attribute> found = tuple.nested().find(half);
    return found.isEmpty() ? Optional.empty() : found.get().nested().find(part);
  }

  private static MessageBuilder question(IpFamily family) {
    return header(new MessageBuilder(GET, 0, "list", "IPv" + family.version() + " flows"), family);
  }

  private int carryOut(List<NetlinkMessage> deletions) throws LinuxException {
    List<NetlinkFailure> failures = socket.batch(deletions);
    for (NetlinkFailure failure : failures) {
      if (!failure.errno().equals(Errno.ENOENT)) {
        throw failure.toException();
      }
    }
    return deletions.size() - failures.size();
  }

  /// The id spares a later flow of the same addresses and ports, unless the kernel happens to keep
  /// it at the very same place in memory: its ids are no more than that.
  private static NetlinkMessage deletion(
      IpFamily family, Attributes attributes, Attribute original) {
    MessageBuilder message =
        header(new MessageBuilder(DELETE, 0, "delete flow", "by its tuple"), family)
            .attr(CTA_TUPLE_ORIG | NLA_F_NESTED, original.bytes());
    attributes.find(CTA_ID).ifPresent(id -> message.attr(CTA_ID, id.bytes()));
    attributes.find(CTA_ZONE).ifPresent(zone -> message.attr(CTA_ZONE, zone.bytes()));
    return message.build();
  }

  private static boolean names(Optional<Attribute> tuple, Set<IpAddress> addresses)
      throws NetlinkException {
    if (tuple.isEmpty()) {
      return false;
    }
    Optional<Attribute> ip = tuple.get().nested().find(CTA_TUPLE_IP);
    if (ip.isEmpty()) {
      return false;
    }
    for (Attribute part : ip.get().nested()) {
      boolean isAddress = part.type() >= CTA_IP_FIRST && part.type() <= CTA_IP_LAST;
      if (isAddress
          && (part.length() == 4 || part.length() == 16)
          && addresses.contains(IpAddress.of(part.bytes()))) {
        return true;
      }
    }
    return false;
  }

  /// `struct nfgenmsg`: family, version, resource.
  private static MessageBuilder header(MessageBuilder message, IpFamily family) {
    return message.u8(family == IpFamily.IPV4 ? 2 : 10).u8(0).be16(0);
  }

  @Override
  public void close() {
    socket.close();
  }
}
