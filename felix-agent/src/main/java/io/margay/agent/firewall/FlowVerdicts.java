package io.margay.agent.firewall;

import io.margay.linux.LinuxException;
import io.margay.linux.nft.NftPacket;
import io.margay.linux.nft.NftTable;
import io.margay.linux.nft.NftWalk;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpFamily;
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

  /// What the rules say of a connection.
  public enum Verdict {
    ALLOWED,
    DENIED_BY_WORKLOAD,
    DENIED_BY_HOST
  }

  /// The interface at the node's own end, and where no way is known.
  static final List<Optional<InterfaceName>> NONE = List.of(Optional.empty());

  private final Map<IpFamily, NftWalk> walks = new EnumMap<>(IpFamily.class);
  private final Map<IpFamily, HostVerdicts> hosts = new EnumMap<>(IpFamily.class);

  public FlowVerdicts(NftTable table) {
    for (IpFamily family : IpFamily.values()) {
      walks.put(family, new NftWalk(table.view(family)));
      hosts.put(family, new HostVerdicts(table.view(family)));
    }
  }

  /// Whether the endpoints it meets, those of them that are here, allow it: each by itself.
  ///
  /// Between the node itself and its workloads stands no policy. Where several ways lead to an end,
  /// it is enough that one of them allows it.
  ///
  /// @throws LinuxException if ways can't be told
  public Verdict of(FlowKind connection, Surroundings around) throws LinuxException {
    if (!isAllowedByWorkloads(connection, around)) {
      return Verdict.DENIED_BY_WORKLOAD;
    }
    HostVerdicts host = hosts.get(connection.source().family());
    return host == null || host.allow(connection, around)
        ? Verdict.ALLOWED
        : Verdict.DENIED_BY_HOST;
  }

  private boolean isAllowedByWorkloads(FlowKind connection, Surroundings around)
      throws LinuxException {
    boolean isFromNode = around.isNodes(connection.source());
    boolean isToNode = around.isNodes(connection.answerer());
    Ways ways = around.toWorkloads();
    NftPacket first = connection.asLed();
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

  static List<Optional<InterfaceName>> each(Set<InterfaceName> ways) {
    return ways.isEmpty() ? NONE : ways.stream().map(Optional::of).toList();
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
}
