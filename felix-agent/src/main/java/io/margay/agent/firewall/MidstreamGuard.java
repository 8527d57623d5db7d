package io.margay.agent.firewall;

import io.margay.linux.nft.NftChain;
import io.margay.linux.nft.NftData;
import io.margay.linux.nft.NftElement;
import io.margay.linux.nft.NftExpr.CtState;
import io.margay.linux.nft.NftHook;
import io.margay.linux.nft.NftRule;
import io.margay.linux.nft.NftRuleBuilder;
import io.margay.linux.nft.NftRuleBuilder.Side;
import io.margay.linux.nft.NftVerdict;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpFamily;
import io.margay.policy.HostEndpointPolicy;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// What keeps a connection of TCP that was cut at a host endpoint from coming back: the kernel
/// picks one up in its middle, in the direction of whoever sends next (`nf_conntrack_tcp_loose`),
/// and policy of the other direction would not know it. Pure: equal inputs, equal chains.
///
/// Base chains of their own, before those of the [HostSlot]s, so that they come and go without any
/// policy's rule being written anew. They are there for a while after a cut only: on a node whose
/// connections were never tracked, or were forgotten, all of them are in their middle, and those
/// that policy allows must go on.
final class MidstreamGuard {

  /// Where what it finds is dropped, and counted.
  static final String CHAIN = "host_midstream";

  /// Before the slots' own: -9 and, of what is forwarded, -13.
  private static final int LOCAL_PRIORITY = -11;

  private static final int FORWARD_PRIORITY = -15;

  /// Added to a slot's id, first part of the key in [Layout#HOSTS].
  private static final int KEY = 16;

  private static final int TCP = 6;

  private static final List<HostSlot> SLOTS =
      List.of(HostSlot.IN, HostSlot.OUT, HostSlot.FORWARD_IN, HostSlot.FORWARD_OUT);

  private final IpFamily family;
  private final FirewallSettings settings;

  MidstreamGuard(IpFamily family, FirewallSettings settings) {
    this.family = family;
    this.settings = settings;
  }

  /// Whose policy is guarded: that of interfaces by name, and that of all others.
  ///
  /// @param named policies by interface
  /// @param all empty if no endpoint stands for all
  /// @param foreign workloads' interfaces that other plugins named
  record Guarded(
      Map<InterfaceName, HostEndpointPolicy> named,
      List<HostEndpointPolicy> all,
      Set<InterfaceName> foreign) {

    boolean isEmpty() {
      return named.isEmpty() && all.isEmpty();
    }
  }

  private NftRuleBuilder rule() {
    return new NftRuleBuilder(family);
  }

  /// Whether policy of the endpoint can cut a connection of the slot, in whichever direction that
  /// began: a packet of it may come the other way.
  private static boolean concerns(HostSlot slot, HostEndpointPolicy policy) {
    return switch (slot) {
      case IN, OUT -> true;
      case FORWARD_IN, FORWARD_OUT ->
          HostSlot.FORWARD_IN.concerns(policy)
              || HostSlot.FORWARD_OUT.concerns(policy)
              || HostSlot.PRE_DNAT.concerns(policy);
      case UNTRACKED_IN, UNTRACKED_OUT, PRE_DNAT -> false;
    };
  }

  private static boolean isUsed(HostSlot slot, Guarded guarded) {
    return guarded.named().values().stream().anyMatch(policy -> concerns(slot, policy))
        || hasAll(slot, guarded);
  }

  private static boolean hasAll(HostSlot slot, Guarded guarded) {
    return guarded.all().stream().anyMatch(policy -> concerns(slot, policy));
  }

  List<NftChain> chains(Guarded guarded) {
    if (guarded.isEmpty()) {
      return List.of();
    }
    List<NftChain> chains = new ArrayList<>();
    chains.add(
        NftChain.regular(
            CHAIN,
            List.of(
                // Asked here too: a base chain that others took away is back for a moment without
                // what it asks of connections.
                rule()
                    .ctState(CtState.NEW)
                    .counter()
                    .verdict(NftVerdict.DROP)
                    .build(Layout.ruleId("host", "midstream")))));
    for (HostSlot slot : SLOTS) {
      if (isUsed(slot, guarded)) {
        chains.add(base(slot, hasAll(slot, guarded)));
      }
    }
    return chains;
  }

  private NftChain base(HostSlot slot, boolean hasAll) {
    NftHook.Point point = slot.hook().point();
    List<NftRule> rules = new ArrayList<>();
    rules.add(
        pass(
            slot,
            "known",
            rule()
                .ctState(
                    CtState.ESTABLISHED | CtState.RELATED | CtState.INVALID | CtState.UNTRACKED)));
    rules.add(pass(slot, "not-tcp", rule().protocol(TCP, true)));
    rules.add(
        pass(slot, "syn", rule().tcpFlags(NftRenderer.TCP_FLAGS, NftRenderer.TCP_SYN, false)));
    if (slot.hasFailsafes()) {
      rules.addAll(failsafes(slot));
    }
    if (slot == HostSlot.OUT) {
      // It begins here, and where it goes shows further on only: policy there is of its direction.
      rules.add(pass(slot, "translated", rule().ctDestinationTranslated()));
    }
    if (hasAll) {
      rules.add(pass(slot, "loopback", rule().interfaceIs(slot.side(), HostRenderer.LOOPBACK)));
      for (String prefix : settings.interfacePrefixes()) {
        rules.add(pass(slot, "workload|" + prefix, rule().interfacePrefix(slot.side(), prefix)));
      }
    }
    rules.add(
        rule()
            .interfaceVerdict(slot.side(), Layout.HOSTS, key(slot))
            .build(Layout.ruleId("host", slot.word(), "midstream", "dispatch")));
    if (hasAll) {
      rules.add(
          rule()
              .verdict(NftVerdict.jump(CHAIN))
              .build(Layout.ruleId("host", slot.word(), "midstream", "all")));
    }
    return new NftChain(
        baseChain(slot),
        new NftHook(
            NftHook.Type.FILTER,
            point,
            point == NftHook.Point.FORWARD ? FORWARD_PRIORITY : LOCAL_PRIORITY),
        rules);
  }

  /// Those of the direction, and answers of those of the other: who has a failsafe connection open
  /// may wait for the node to send next.
  private List<NftRule> failsafes(HostSlot slot) {
    Side remote = slot.side();
    return List.of(
        pass(
            slot,
            "failsafe",
            rule()
                .portAndAddressInSet(
                    Layout.FAILSAFES,
                    Layout.failsafes(slot.direction()),
                    Side.DESTINATION,
                    remote)),
        pass(
            slot,
            "failsafe-answer",
            rule()
                .portAndAddressInSet(
                    Layout.FAILSAFES,
                    Layout.failsafes(slot.direction().opposite()),
                    Side.SOURCE,
                    remote)));
  }

  private static NftRule pass(HostSlot slot, String word, NftRuleBuilder when) {
    return when.verdict(NftVerdict.ACCEPT)
        .build(Layout.ruleId("host", slot.word(), "midstream", word));
  }

  private static String baseChain(HostSlot slot) {
    return CHAIN + slot.baseChain().substring("host".length());
  }

  private static int key(HostSlot slot) {
    return KEY + slot.id();
  }

  /// What [Layout#HOSTS] holds for its chains.
  Map<NftData, NftElement> elements(Guarded guarded) {
    Map<NftData, NftElement> elements = new HashMap<>();
    for (HostSlot slot : SLOTS) {
      if (!isUsed(slot, guarded)) {
        continue;
      }
      guarded
          .named()
          .forEach(
              (name, policy) ->
                  add(
                      elements,
                      slot,
                      name,
                      concerns(slot, policy) ? NftVerdict.jump(CHAIN) : NftVerdict.ACCEPT));
      guarded.foreign().forEach(name -> add(elements, slot, name, NftVerdict.ACCEPT));
    }
    return elements;
  }

  private static void add(
      Map<NftData, NftElement> elements, HostSlot slot, InterfaceName name, NftVerdict verdict) {
    NftElement element = Layout.host(key(slot), name, verdict);
    elements.put(element.key(), element);
  }
}
