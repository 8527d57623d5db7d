package io.margay.agent.firewall;

import static io.margay.agent.firewall.FlowVerdicts.NONE;
import static io.margay.agent.firewall.FlowVerdicts.each;

import io.margay.linux.LinuxException;
import io.margay.linux.nft.NftData;
import io.margay.linux.nft.NftPacket;
import io.margay.linux.nft.NftPassage;
import io.margay.linux.nft.NftTableView;
import io.margay.linux.nft.NftWalk;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Ipv4Address;
import io.margay.model.net.Ipv6Address;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Says of connections of one family that are open whether the host endpoints they meet would let
/// them begin, by the chains the kernel has for these: stage after stage, as the first packet came
/// and as it was led.
///
/// Nothing is denied on doubt: no interface, or the loopback, says nothing; of several that may be
/// meant, one that allows is enough; a connection that was seen in its middle first may have begun
/// at either end; and what a virtual address of the node led elsewhere met other hooks on its way.
final class HostVerdicts {

  private static final Ipv4Address BROADCAST = new Ipv4Address(-1);

  private final NftTableView table;
  private final NftWalk walk;

  HostVerdicts(NftTableView table) {
    this.table = table;
    this.walk = new NftWalk(table);
  }

  /// @throws LinuxException if ways can't be told
  boolean allow(FlowKind connection, Surroundings around) throws LinuxException {
    return allowAsBegun(connection, around)
        || connection.isPickedUp()
            && !connection.isLed()
            && allowAsBegun(connection.reversed(), around);
  }

  private boolean allowAsBegun(FlowKind connection, Surroundings around) throws LinuxException {
    boolean isFromNode = around.isNodes(connection.source());
    boolean isToNode = around.isNodes(connection.answerer());
    if (isFromNode && isToNode
        || !isPoliced(isFromNode, isToNode)
        || isLinkLocal(connection.source()) != isLinkLocal(connection.answerer())
        || isLinkLocal(connection.answerer()) && connection.isLed()
        || around.virtual().contains(connection.destination()) && connection.isLed()
        || !isSingle(connection.source())
        || !isSingle(connection.destination())
        || !isSingle(connection.answerer())) {
      return true;
    }
    for (Optional<InterfaceName> from : isFromNode ? NONE : each(before(connection, around))) {
      for (Optional<InterfaceName> to : isToNode ? NONE : each(after(connection, around))) {
        if ((isFromNode || comesIn(connection, from, to, around))
            && (isToNode || goesOut(connection, from, to, isFromNode))) {
          return true;
        }
      }
    }
    return false;
  }

  /// Whether any endpoint has something to say to such a connection.
  private boolean isPoliced(boolean isFromNode, boolean isToNode) {
    List<HostSlot> met =
        isToNode
            ? List.of(HostSlot.IN)
            : isFromNode
                ? List.of(HostSlot.OUT)
                : List.of(
                    HostSlot.UNTRACKED_IN,
                    HostSlot.PRE_DNAT,
                    HostSlot.FORWARD_IN,
                    HostSlot.FORWARD_OUT);
    return met.stream().anyMatch(slot -> table.chain(slot.baseChain()) != null);
  }

  /// One machine's. What goes to many comes to the node's own sockets too.
  private static boolean isSingle(IpAddress address) {
    return !address.isMulticast() && !address.isUnspecified() && !address.equals(BROADCAST);
  }

  /// Which a neighbour on any link may have. Of the node's own it is known on which links it is.
  private static boolean isLinkLocal(IpAddress address) {
    return address instanceof Ipv6Address && address.isLinkLocal();
  }

  /// By which interfaces its first packet may have come in.
  private Set<InterfaceName> before(FlowKind connection, Surroundings around)
      throws LinuxException {
    Set<InterfaceName> held = new HashSet<>(around.holding(connection.destination()));
    held.addAll(around.holding(connection.answerer()));
    if (isLinkLocal(connection.source())) {
      return held;
    }
    return interfaces(around.ways().to(connection.source()), held);
  }

  /// By which interfaces its first packet may leave.
  private Set<InterfaceName> after(FlowKind connection, Surroundings around) throws LinuxException {
    if (isLinkLocal(connection.answerer())) {
      return around.holding(connection.source());
    }
    return interfaces(around.ways().to(connection.answerer()), around.holding(connection.source()));
  }

  /// Those that lead to a machine, and those that hold the address of the node that it speaks to:
  /// answers need not take the way the question came, and routes may depend on the address they
  /// leave from.
  private Set<InterfaceName> interfaces(Set<InterfaceName> ways, Set<InterfaceName> held) {
    if (ways.contains(HostRenderer.LOOPBACK)) {
      return Set.of();
    }
    if (ways.isEmpty() || ways.stream().anyMatch(this::isWorkload)) {
      return ways;
    }
    Set<InterfaceName> all = new HashSet<>(ways);
    all.addAll(held);
    return all;
  }

  private boolean isWorkload(InterfaceName name) {
    return table.find(Layout.FROM_ENDPOINTS, NftData.interfaceName(name)) != null;
  }

  private boolean comesIn(
      FlowKind connection,
      Optional<InterfaceName> from,
      Optional<InterfaceName> to,
      Surroundings around) {
    if (from.isEmpty() || isWorkload(from.get())) {
      return true;
    }
    NftPacket sent =
        connection
            .asSent()
            .withIncoming(from.get())
            .withForNode(around.isNodes(connection.destination()));
    for (HostSlot slot : List.of(HostSlot.UNTRACKED_IN, HostSlot.PRE_DNAT)) {
      Optional<NftPacket> passed = through(slot.baseChain(), sent);
      if (passed.isEmpty()) {
        return false;
      }
      sent = passed.get();
    }
    boolean isToNode = around.isNodes(connection.answerer());
    NftPacket led =
        connection
            .asLed()
            .withCtState(sent.ctState())
            .withIncoming(from.get())
            .withForNode(isToNode);
    // Whether it stays is known for sure only where it goes elsewhere by a known way.
    return isToNode
        ? passes(HostSlot.IN.baseChain(), led)
        : to.isEmpty() || passes(HostSlot.FORWARD_IN.baseChain(), led.withOutgoing(to.get()));
  }

  private boolean goesOut(
      FlowKind connection,
      Optional<InterfaceName> from,
      Optional<InterfaceName> to,
      boolean isFromNode) {
    if (to.isEmpty() || isWorkload(to.get())) {
      return true;
    }
    NftPacket led = connection.asLed().withIncoming(from.orElse(null)).withOutgoing(to.get());
    if (!isFromNode) {
      return from.isEmpty() || passes(HostSlot.FORWARD_OUT.baseChain(), led);
    }
    // Where an untranslated packet was to leave is not known, and untracked ones aren't translated.
    Optional<NftPacket> tracked =
        connection.isLed() ? Optional.of(led) : through(HostSlot.UNTRACKED_OUT.baseChain(), led);
    return tracked.isPresent()
        && passes(HostSlot.OUT.baseChain(), tracked.get())
        && passes(HostRenderer.OUT_TRANSLATED, tracked.get());
  }

  private boolean passes(String chain, NftPacket packet) {
    return through(chain, packet).isPresent();
  }

  /// The packet as it leaves the chain, if that is there; empty if it is dropped.
  private Optional<NftPacket> through(String chain, NftPacket packet) {
    if (table.chain(chain) == null) {
      return Optional.of(packet);
    }
    NftPassage passage = walk.chain(chain, packet);
    return passage.isAccepted() ? Optional.of(passage.packet()) : Optional.empty();
  }
}
