package io.margay.agent.firewall;

import io.margay.linux.LinuxException;
import io.margay.linux.conntrack.Connection;
import io.margay.linux.nft.NftPacket;
import io.margay.linux.nft.NftTable;
import io.margay.linux.nft.NftWalk;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Ipv4Address;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Says of connections that are open whether the rules in force would let them begin, by carrying
/// their first packet through the very rules the kernel has.
///
/// Belongs to the dataplane loop, and is asked when the kernel holds what is desired.
public final class FlowVerdicts {

  private static final int ICMP = 1;
  private static final int ICMPV6 = 58;

  /// The interface at the node's own end, and where no way is known.
  private static final List<Optional<InterfaceName>> NONE = List.of(Optional.empty());

  /// All that rules can tell connections by: those of one kind fare alike.
  ///
  /// @param sourcePort 0 where no rule asks for it
  /// @param answerer where they lead
  public record Kind(
      IpAddress source,
      int sourcePort,
      IpAddress answerer,
      int answererPort,
      int protocol,
      int icmpType,
      int icmpCode) {

    /// @param bySourcePort whether a rule may ask for the source port
    public static Kind of(Connection connection, boolean bySourcePort) {
      return new Kind(
          connection.source(),
          bySourcePort ? connection.sourcePort() : 0,
          connection.answerer(),
          connection.answererPort(),
          connection.protocol(),
          connection.icmpType(),
          connection.icmpCode());
    }
  }

  private final Map<IpFamily, NftWalk> walks = new EnumMap<>(IpFamily.class);

  public FlowVerdicts(NftTable table) {
    for (IpFamily family : IpFamily.values()) {
      walks.put(family, new NftWalk(table.view(family)));
    }
  }

  /// Whether the endpoints at its ends, those of them that are here, allow it: each by itself,
  /// after destinations were translated and before sources are.
  ///
  /// Between the node itself and its endpoints stands no policy. Where several ways lead to an end,
  /// it is enough that one of them allows it.
  ///
  /// @param node the node's own addresses
  /// @param ways to addresses that are not the node's; empty where nobody polices
  /// @throws LinuxException if ways can't be told
  public boolean allows(Kind connection, Set<IpAddress> node, Ways ways) throws LinuxException {
    boolean isFromNode = isNodes(connection.source(), node);
    boolean isToNode = isNodes(connection.answerer(), node);
    NftPacket first = firstPacket(connection);
    for (Optional<InterfaceName> from : isFromNode ? NONE : each(ways.to(connection.source()))) {
      for (Optional<InterfaceName> to : isToNode ? NONE : each(ways.to(connection.answerer()))) {
        NftPacket packet = first.withIncoming(from.orElse(null)).withOutgoing(to.orElse(null));
        if (isAccepted(Direction.EGRESS, packet)
            && (isFromNode || isAccepted(Direction.INGRESS, packet))) {
          return true;
        }
      }
    }
    return false;
  }

  private static List<Optional<InterfaceName>> each(Set<InterfaceName> ways) {
    return ways.isEmpty() ? NONE : ways.stream().map(Optional::of).toList();
  }

  private static boolean isNodes(IpAddress source, Set<IpAddress> node) {
    return source instanceof Ipv4Address ipv4 && ipv4.isLoopback() || node.contains(source);
  }

  private boolean isAccepted(Direction direction, NftPacket packet) {
    return switch (direction) {
      case INGRESS -> packet.outgoing() == null || isAccepted(Layout.INGRESS_CHAIN, packet);
      case EGRESS -> packet.incoming() == null || isAccepted(Layout.EGRESS_CHAIN, packet);
    };
  }

  private boolean isAccepted(String chain, NftPacket packet) {
    NftWalk walk = walks.get(packet.family());
    return walk != null && walk.chain(chain, packet).isAccepted();
  }

  private static NftPacket firstPacket(Kind connection) {
    return connection.protocol() == ICMP || connection.protocol() == ICMPV6
        ? NftPacket.icmp(
            connection.source(),
            connection.answerer(),
            connection.icmpType(),
            connection.icmpCode())
        : NftPacket.opening(
            connection.protocol(),
            connection.source(),
            connection.sourcePort(),
            connection.answerer(),
            connection.answererPort());
  }
}
