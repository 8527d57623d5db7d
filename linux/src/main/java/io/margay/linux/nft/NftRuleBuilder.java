package io.margay.linux.nft;

import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Puts matches and statements of one rule together, in the order they are told. Each match uses
/// registers of its own moment, so matches never disturb each other.
///
/// Transport matches read whatever follows the network header: say [#protocol] first.
public final class NftRuleBuilder {

  private static final int R = NftExpr.FIRST_REGISTER;

  /// Slots a 4-octet field takes.
  private static final int SLOT = 1;

  private final IpFamily family;
  private final boolean original;
  private final List<NftExpr> expressions = new ArrayList<>();

  public NftRuleBuilder(IpFamily family) {
    this(family, false);
  }

  private NftRuleBuilder(IpFamily family, boolean original) {
    this.family = family;
    this.original = original;
  }

  /// A rule that takes addresses and ports from the first packet of the connection, as it was
  /// before any translation, and matches no packet without connection where it asks for them.
  public static NftRuleBuilder ofOriginal(IpFamily family) {
    return new NftRuleBuilder(family, true);
  }

  /// A copy to which other matches can be added.
  public NftRuleBuilder fork() {
    NftRuleBuilder copy = new NftRuleBuilder(family, original);
    copy.expressions.addAll(expressions);
    return copy;
  }

  /// The side of a packet: where it comes from or where it goes.
  public enum Side {
    SOURCE,
    DESTINATION
  }

  /// Any of the connection states, as an OR of [NftExpr.CtState] bits.
  public NftRuleBuilder ctState(int states) {
    add(new NftExpr.CtState(R));
    add(new NftExpr.Mask(R, NftData.hostOrder(states)));
    return add(new NftExpr.Compare(R, NftExpr.Comparison.NOT_EQUAL, NftData.hostOrder(0)));
  }

  /// The packet's connection had its destination translated.
  public NftRuleBuilder ctDestinationTranslated() {
    add(new NftExpr.CtStatus(R));
    add(new NftExpr.Mask(R, NftData.hostOrder(NftExpr.CtStatus.DESTINATION_NAT)));
    return add(new NftExpr.Compare(R, NftExpr.Comparison.NOT_EQUAL, NftData.hostOrder(0)));
  }

  /// The interface the packet came by (source) or leaves by (destination) begins with `prefix`.
  public NftRuleBuilder interfacePrefix(Side side, String prefix) {
    add(new NftExpr.Meta(interfaceKey(side), R));
    return add(
        new NftExpr.Compare(R, NftExpr.Comparison.EQUAL, NftData.interfaceNamePrefix(prefix)));
  }

  public NftRuleBuilder interfaceIs(Side side, InterfaceName name) {
    add(new NftExpr.Meta(interfaceKey(side), R));
    return add(new NftExpr.Compare(R, NftExpr.Comparison.EQUAL, NftData.interfaceName(name)));
  }

  private static NftExpr.MetaKey interfaceKey(Side side) {
    return switch (side) {
      case SOURCE -> NftExpr.MetaKey.IIFNAME;
      case DESTINATION -> NftExpr.MetaKey.OIFNAME;
    };
  }

  /// Applies the verdict that `map`, keyed by interface name, holds for the packet's interface.
  public NftRuleBuilder interfaceVerdict(Side side, String map) {
    add(new NftExpr.Meta(interfaceKey(side), R));
    return add(new NftExpr.VerdictMap(map, R));
  }

  /// As [#interfaceVerdict], for a map keyed mark . interface name.
  public NftRuleBuilder interfaceVerdict(Side side, String map, int id) {
    add(new NftExpr.Load(R, NftData.hostOrder(id)));
    add(new NftExpr.Meta(interfaceKey(side), R + SLOT));
    return add(new NftExpr.VerdictMap(map, R));
  }

  /// (incoming interface, source address) is in `set`.
  public NftRuleBuilder interfaceAndSource(String set, boolean inverted) {
    int address = R + NftData.INTERFACE_NAME_OCTETS / 4;
    add(new NftExpr.Meta(NftExpr.MetaKey.IIFNAME, R));
    add(address(Side.SOURCE, family.octets(), address));
    return add(new NftExpr.Lookup(set, R, inverted));
  }

  public NftRuleBuilder protocol(int protocol, boolean inverted) {
    add(new NftExpr.Meta(NftExpr.MetaKey.L4PROTO, R));
    return compare(NftData.octet(protocol), inverted);
  }

  /// The address lies in the prefix. A prefix of length 0 matches everything, or inverted nothing.
  public NftRuleBuilder address(Side side, Prefix prefix, boolean inverted) {
    int length = prefix.length();
    if (prefix.family() != family) {
      throw new IllegalArgumentException(prefix + " in a rule of " + family);
    }
    byte[] octets = prefix.address().toBytes();
    // The ends of a connection load whole.
    if (length % 8 == 0 && length > 0 && (!original || prefix.isHost())) {
      int octetsUsed = length / 8;
      add(address(side, octetsUsed, R));
      return compare(NftData.of(Arrays.copyOf(octets, octetsUsed)), inverted);
    }
    add(address(side, family.octets(), R));
    add(new NftExpr.Mask(R, NftData.of(mask(length))));
    return compare(NftData.address(prefix.address()), inverted);
  }

  /// @param octets how many of the first must be there
  private NftExpr address(Side side, int octets, int register) {
    if (original) {
      return new NftExpr.CtOriginal(
          switch (side) {
            case SOURCE -> NftExpr.CtEnd.SOURCE_ADDRESS;
            case DESTINATION -> NftExpr.CtEnd.DESTINATION_ADDRESS;
          },
          family,
          register);
    }
    int source =
        switch (family) {
          case IPV4 -> 12;
          case IPV6 -> 8;
        };
    int offset =
        switch (side) {
          case SOURCE -> source;
          case DESTINATION -> source + family.octets();
        };
    return new NftExpr.Payload(NftExpr.Base.NETWORK, offset, octets, register);
  }

  /// (`id`, address) is in a set keyed mark . address.
  public NftRuleBuilder addressInSet(Side side, String set, int id, boolean inverted) {
    add(new NftExpr.Load(R, NftData.hostOrder(id)));
    add(address(side, family.octets(), R + SLOT));
    return add(new NftExpr.Lookup(set, R, inverted));
  }

  /// (`id`, `length`, the address's first `length` bits) is in a set keyed mark . mark . address.
  public NftRuleBuilder prefixInSet(Side side, String set, int id, int length, boolean inverted) {
    add(new NftExpr.Load(R, NftData.hostOrder(id)));
    prefix(side, length, R + SLOT);
    return add(new NftExpr.Lookup(set, R, inverted));
  }

  /// As [#addressInSetOfPort], for a set keyed as that of [#prefixInSet].
  public NftRuleBuilder prefixInSetOfPort(Side side, String ports, int id, String set, int length) {
    setOfPort(ports, id);
    prefix(side, length, R + SLOT);
    return add(new NftExpr.Lookup(set, R, false));
  }

  private void prefix(Side side, int length, int register) {
    add(new NftExpr.Load(register, NftData.hostOrder(length)));
    add(address(side, family.octets(), register + SLOT));
    if (length < family.octets() * Byte.SIZE) {
      add(new NftExpr.Mask(register + SLOT, NftData.of(mask(length))));
    }
  }

  private byte[] mask(int length) {
    byte[] mask = new byte[family.octets()];
    for (int bit = 0; bit < length; bit++) {
      mask[bit / 8] |= (byte) (0x80 >>> bit % 8);
    }
    return mask;
  }

  /// (`id`, address, protocol, port) is in a set keyed mark . address . protocol . port.
  public NftRuleBuilder portInSet(Side side, String set, int id, boolean inverted) {
    int protocol = R + SLOT + family.octets() / 4;
    add(new NftExpr.Load(R, NftData.hostOrder(id)));
    add(address(side, family.octets(), R + SLOT));
    add(new NftExpr.Meta(NftExpr.MetaKey.L4PROTO, protocol));
    add(portAt(side, protocol + SLOT));
    return add(new NftExpr.Lookup(set, R, inverted));
  }

  /// (`id`, protocol, port, address) is in a set keyed mark . protocol . port . address.
  ///
  /// @param port whose port
  /// @param address whose address
  public NftRuleBuilder portAndAddressInSet(String set, int id, Side port, Side address) {
    add(new NftExpr.Load(R, NftData.hostOrder(id)));
    add(new NftExpr.Meta(NftExpr.MetaKey.L4PROTO, R + SLOT));
    add(portAt(port, R + 2 * SLOT));
    add(address(address, family.octets(), R + 3 * SLOT));
    return add(new NftExpr.Lookup(set, R, false));
  }

  /// (`id`, port) is in a set keyed mark . port.
  public NftRuleBuilder portRangeInSet(Side side, String set, int id, boolean inverted) {
    add(new NftExpr.Load(R, NftData.hostOrder(id)));
    add(portAt(side, R + SLOT));
    return add(new NftExpr.Lookup(set, R, inverted));
  }

  /// The address is in the set whose number `ports`, a map keyed mark . protocol . port, holds for
  /// (`id`, the packet's protocol and destination port).
  public NftRuleBuilder addressInSetOfPort(Side side, String ports, int id, String set) {
    setOfPort(ports, id);
    add(address(side, family.octets(), R + SLOT));
    return add(new NftExpr.Lookup(set, R, false));
  }

  private void setOfPort(String ports, int id) {
    add(new NftExpr.Load(R, NftData.hostOrder(id)));
    add(new NftExpr.Meta(NftExpr.MetaKey.L4PROTO, R + SLOT));
    add(portAt(Side.DESTINATION, R + 2 * SLOT));
    add(new NftExpr.DataMap(ports, R, R));
  }

  /// The TCP, UDP or SCTP port lies in `first` to `last`.
  public NftRuleBuilder port(Side side, int first, int last, boolean inverted) {
    add(portAt(side, R));
    if (first == last) {
      return compare(NftData.port(first), inverted);
    }
    return add(new NftExpr.Range(R, inverted, NftData.port(first), NftData.port(last)));
  }

  private NftExpr portAt(Side side, int register) {
    if (original) {
      return new NftExpr.CtOriginal(
          switch (side) {
            case SOURCE -> NftExpr.CtEnd.SOURCE_PORT;
            case DESTINATION -> NftExpr.CtEnd.DESTINATION_PORT;
          },
          family,
          register);
    }
    int offset =
        switch (side) {
          case SOURCE -> 0;
          case DESTINATION -> 2;
        };
    return new NftExpr.Payload(NftExpr.Base.TRANSPORT, offset, 2, register);
  }

  /// The ICMP or ICMPv6 type.
  public NftRuleBuilder icmpType(int type, boolean inverted) {
    add(new NftExpr.Payload(NftExpr.Base.TRANSPORT, 0, 1, R));
    return compare(NftData.octet(type), inverted);
  }

  /// The ICMP or ICMPv6 types from `first` to `last`.
  public NftRuleBuilder icmpTypes(int first, int last) {
    add(new NftExpr.Payload(NftExpr.Base.TRANSPORT, 0, 1, R));
    return add(new NftExpr.Range(R, false, NftData.octet(first), NftData.octet(last)));
  }

  /// The ICMP or ICMPv6 type and code, as one 16-bit number.
  public NftRuleBuilder icmpTypeAndCode(int type, int code, boolean inverted) {
    add(new NftExpr.Payload(NftExpr.Base.TRANSPORT, 0, 2, R));
    return compare(NftData.port(type << 8 | code), inverted);
  }

  /// Of the TCP flags in `mask`, exactly `flags` are set, or not exactly those.
  public NftRuleBuilder tcpFlags(int mask, int flags, boolean inverted) {
    add(new NftExpr.Payload(NftExpr.Base.TRANSPORT, 13, 1, R));
    add(new NftExpr.Mask(R, NftData.octet(mask)));
    return compare(NftData.octet(flags), inverted);
  }

  private NftRuleBuilder compare(NftData data, boolean inverted) {
    return add(
        new NftExpr.Compare(
            R, inverted ? NftExpr.Comparison.NOT_EQUAL : NftExpr.Comparison.EQUAL, data));
  }

  public NftRuleBuilder counter() {
    return add(new NftExpr.Counter());
  }

  public NftRuleBuilder limit(long ratePerSecond, int burst) {
    return limit(NftExpr.Limit.perSecond(ratePerSecond, burst));
  }

  public NftRuleBuilder limit(NftExpr.Limit limit) {
    return add(limit);
  }

  public NftRuleBuilder log(String prefix) {
    return add(new NftExpr.Log(prefix));
  }

  /// See [NftExpr.LogGroup].
  public NftRuleBuilder logGroup(String prefix, int group, int octets) {
    return add(new NftExpr.LogGroup(prefix, group, octets));
  }

  /// From here on the packet's way is told.
  public NftRuleBuilder trace() {
    add(new NftExpr.Load(R, NftData.octet(1)));
    return add(new NftExpr.Trace(R));
  }

  /// The packet is meant for the node itself.
  public NftRuleBuilder toLocalAddress() {
    add(new NftExpr.DestinationType(R));
    return compare(NftData.hostOrder(NftExpr.DestinationType.LOCAL), false);
  }

  /// The packet comes from an address of the node itself.
  public NftRuleBuilder fromLocalAddress() {
    add(new NftExpr.SourceType(R));
    return compare(NftData.hostOrder(NftExpr.DestinationType.LOCAL), false);
  }

  /// (source address, destination address) is in `set`.
  public NftRuleBuilder addressPair(String set) {
    add(address(Side.SOURCE, family.octets(), R));
    add(address(Side.DESTINATION, family.octets(), R + family.octets() / 4));
    return add(new NftExpr.Lookup(set, R, false));
  }

  /// (source address, destination address, source port, destination port) is in `set`.
  public NftRuleBuilder endsInSet(String set) {
    int destination = R + family.octets() / 4;
    int ports = destination + family.octets() / 4;
    add(address(Side.SOURCE, family.octets(), R));
    add(address(Side.DESTINATION, family.octets(), destination));
    add(portAt(Side.SOURCE, ports));
    add(portAt(Side.DESTINATION, ports + SLOT));
    return add(new NftExpr.Lookup(set, R, false));
  }

  /// Leads the connection to the address and port that `map`, keyed by protocol and destination
  /// port, holds; goes on if it holds none.
  public NftRuleBuilder destinationByPort(String map) {
    return destination(map, R);
  }

  /// As [#destinationByPort], for a map keyed by destination address, protocol and destination
  /// port.
  public NftRuleBuilder destinationByAddressAndPort(String map) {
    add(address(Side.DESTINATION, family.octets(), R));
    return destination(map, R + family.octets() / 4);
  }

  private NftRuleBuilder destination(String map, int protocol) {
    add(new NftExpr.Meta(NftExpr.MetaKey.L4PROTO, protocol));
    add(portAt(Side.DESTINATION, protocol + SLOT));
    add(new NftExpr.DataMap(map, R, R));
    return add(new NftExpr.DestinationNat(family, R, R + family.octets() / 4));
  }

  /// Exempts the packet from connection tracking.
  public NftRuleBuilder notrack() {
    return add(new NftExpr.Notrack());
  }

  /// Gives the connection the outgoing interface's address, and any port.
  public NftRuleBuilder masquerade() {
    return add(new NftExpr.Masquerade(0, 0));
  }

  /// As [#masquerade()], and a source port of these.
  public NftRuleBuilder masquerade(int firstPort, int lastPort) {
    ports(firstPort, lastPort);
    return add(new NftExpr.Masquerade(R, R + SLOT));
  }

  /// Gives the connection this address as its source, and any port.
  public NftRuleBuilder sourceNat(IpAddress address) {
    add(new NftExpr.Load(R, NftData.address(address)));
    return add(new NftExpr.SourceNat(family, R, 0, 0));
  }

  /// As [#sourceNat(IpAddress)], and a source port of these.
  public NftRuleBuilder sourceNat(IpAddress address, int firstPort, int lastPort) {
    ports(firstPort, lastPort);
    int after = R + 2 * SLOT;
    add(new NftExpr.Load(after, NftData.address(address)));
    return add(new NftExpr.SourceNat(family, after, R, R + SLOT));
  }

  private void ports(int first, int last) {
    add(new NftExpr.Load(R, NftData.port(first)));
    add(new NftExpr.Load(R + SLOT, NftData.port(last)));
  }

  public NftRuleBuilder verdict(NftVerdict verdict) {
    return add(new NftExpr.Judge(verdict));
  }

  private NftRuleBuilder add(NftExpr expression) {
    expressions.add(expression);
    return this;
  }

  /// @param id see [NftRule]
  public NftRule build(String id) {
    return new NftRule(id, expressions);
  }
}
