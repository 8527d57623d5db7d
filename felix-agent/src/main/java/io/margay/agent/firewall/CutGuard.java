package io.margay.agent.firewall;

import io.margay.linux.nft.NftChain;
import io.margay.linux.nft.NftData;
import io.margay.linux.nft.NftElement;
import io.margay.linux.nft.NftException;
import io.margay.linux.nft.NftExpr.CtState;
import io.margay.linux.nft.NftHook;
import io.margay.linux.nft.NftPacket;
import io.margay.linux.nft.NftPacket.Ends;
import io.margay.linux.nft.NftRuleBuilder;
import io.margay.linux.nft.NftTable;
import io.margay.linux.nft.NftVerdict;
import io.margay.model.net.IpAddress;
import io.margay.model.net.IpFamily;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/// What keeps connections of TCP that were cut at host endpoints from coming back: the kernel picks
/// one up in its middle, in the direction of whoever sends next (`nf_conntrack_tcp_loose`), and
/// policy of the other direction would not know it.
///
/// Each such connection is two elements of the set [Layout#CUT], one for the packets of either side
/// as they come here or leave a process here, before anybody translates them. What begins no
/// connection, is of none and looks like one of these is dropped, behind connection tracking (-200)
/// and before NAT (-100). The two chains are there while the set holds something; a packet of any
/// other connection fails the first comparison of their only rule.
final class CutGuard {

  private static final String IN = "cut_in";
  private static final String OUT = "cut_out";
  private static final int PRIORITY = -199;

  /// Part of the number that a value of [Layout#CUT_FLOWS] begins with.
  private static final int PICKED_UP = 1;

  private final NftTable table;
  private final Map<IpFamily, Integer> flows = new EnumMap<>(IpFamily.class);

  CutGuard(NftTable table) {
    this.table = table;
  }

  void keepOut(CutFlow flow) {
    IpFamily family = flow.family();
    if (flows.merge(family, 1, Integer::sum) == 1) {
      table.putChain(family, chain(family, IN, NftHook.Point.PREROUTING));
      table.putChain(family, chain(family, OUT, NftHook.Point.OUTPUT));
    }
    for (Ends ends : flow.bothEnds()) {
      table.putElement(family, Layout.CUT, NftElement.of(key(ends)));
    }
    table.putElement(family, Layout.CUT_FLOWS, element(flow));
  }

  /// @param flow one that is kept out
  void letIn(CutFlow flow) {
    IpFamily family = flow.family();
    for (Ends ends : flow.bothEnds()) {
      table.removeElement(family, Layout.CUT, key(ends));
    }
    table.removeElement(family, Layout.CUT_FLOWS, key(flow.sent()));
    if (flows.merge(family, -1, Integer::sum) == 0) {
      table.removeChain(family, IN);
      table.removeChain(family, OUT);
    }
  }

  /// What the kernel keeps out, whoever told it to.
  ///
  /// @throws NftException if the kernel does not tell
  List<CutFlow> find() throws NftException {
    List<CutFlow> found = new ArrayList<>();
    for (IpFamily family : IpFamily.values()) {
      for (NftElement element : table.inKernel(family, Layout.CUT_FLOWS, IN)) {
        found.add(read(family, element));
      }
    }
    return found;
  }

  private static NftElement element(CutFlow flow) {
    return NftElement.value(
        key(flow.sent()),
        NftData.concat(NftData.hostOrder(flow.isPickedUp() ? PICKED_UP : 0), key(flow.answered())));
  }

  private static NftData key(Ends ends) {
    return NftData.concat(
        NftData.address(ends.source()),
        NftData.address(ends.destination()),
        NftData.port(ends.sourcePort()),
        NftData.port(ends.destinationPort()));
  }

  private static CutFlow read(IpFamily family, NftElement element) {
    NftData kept = Objects.requireNonNull(element.value(), "an element of a data map");
    ByteBuffer value = ByteBuffer.wrap(kept.toBytes()).order(ByteOrder.nativeOrder());
    int what = value.getInt();
    return new CutFlow(
        ends(family, ByteBuffer.wrap(element.key().toBytes())),
        ends(family, value.slice()),
        (what & PICKED_UP) != 0);
  }

  /// @param octets in network order
  private static Ends ends(IpFamily family, ByteBuffer octets) {
    byte[] source = new byte[family.octets()];
    byte[] destination = new byte[family.octets()];
    octets.get(source).get(destination);
    int sourcePort = Short.toUnsignedInt(octets.getShort());
    octets.getShort(); // fills the register
    int destinationPort = Short.toUnsignedInt(octets.getShort());
    return new Ends(IpAddress.of(source), sourcePort, IpAddress.of(destination), destinationPort);
  }

  private static NftChain chain(IpFamily family, String name, NftHook.Point point) {
    return new NftChain(
        name,
        new NftHook(NftHook.Type.FILTER, point, PRIORITY),
        List.of(
            new NftRuleBuilder(family)
                .ctState(CtState.NEW)
                .protocol(NftPacket.TCP, false)
                .tcpFlags(NftRenderer.TCP_FLAGS, NftRenderer.TCP_SYN, true)
                .endsInSet(Layout.CUT)
                .counter()
                .verdict(NftVerdict.DROP)
                .build(Layout.ruleId("cut"))));
  }
}
