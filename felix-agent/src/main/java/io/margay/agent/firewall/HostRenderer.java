package io.margay.agent.firewall;

import io.margay.agent.firewall.HostProtection.ToHostAction;
import io.margay.linux.nft.NftChain;
import io.margay.linux.nft.NftExpr.CtState;
import io.margay.linux.nft.NftHook;
import io.margay.linux.nft.NftRule;
import io.margay.linux.nft.NftRuleBuilder;
import io.margay.linux.nft.NftRuleBuilder.Side;
import io.margay.linux.nft.NftVerdict;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpFamily;
import io.margay.policy.HostEndpointKey;
import io.margay.policy.HostEndpointPolicy;
import io.margay.policy.HostStage;
import io.margay.policy.TierPolicies;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/// Policy of the node's own interfaces as chains of one family. Pure: equal inputs, equal chains.
///
/// Each [HostSlot] in use has a base chain that looks its interface up in [Layout#HOSTS]; an
/// interface nobody named goes to the endpoint that stands for all, if there is one. There are no
/// marks: whether a packet was allowed before connection tracking or before DNAT is asked again
/// where it matters, see [Manner].
///
/// Packets to and from workloads' interfaces and the loopback are no host endpoint's business: the
/// node always reaches its own pods, and pods reach it as `defaultEndpointToHostAction` says.
final class HostRenderer {

  /// Where a process's packet goes is known only here, if its destination was translated: in the
  /// output hook the packet still has the interface of the address it was meant for.
  private static final NftHook TRANSLATED_HOOK =
      new NftHook(NftHook.Type.FILTER, NftHook.Point.POSTROUTING, -9);

  static final String OUT_DISPATCH = "host_out_dispatch";
  static final String OUT_TRANSLATED = "host_out_translated";

  private static final int UDP = 17;

  static final InterfaceName LOOPBACK = new InterfaceName("lo");

  private final IpFamily family;
  private final FirewallSettings settings;
  private final Rendering rendering;

  HostRenderer(FirewallSettings settings, Rendering rendering) {
    this.family = rendering.family();
    this.settings = settings;
    this.rendering = rendering;
  }

  private NftRuleBuilder rule() {
    return new NftRuleBuilder(family);
  }

  /// The base chain of a slot, and what belongs to it.
  ///
  /// @param hasAll whether an endpoint stands for all interfaces and has a chain here
  List<NftChain> base(HostSlot slot, boolean hasAll, ToHostAction workloadToHost) {
    List<NftRule> rules = new ArrayList<>();
    if (slot.stage() != HostStage.UNTRACKED) {
      rules.add(established(slot.word()));
    }
    if (slot.stage() != HostStage.FORWARDED && family == IpFamily.IPV6) {
      // A node that its neighbours can't find has no failsafe port either.
      String chain = "host|" + slot.word();
      rules.addAll(
          slot.hook().point() == NftHook.Point.PREROUTING
              ? BaseRenderer.neighbourDiscoveryOnLink(this::rule, chain)
              : BaseRenderer.neighbourDiscovery(this::rule, chain));
    }
    if (slot.stage() == HostStage.NORMAL && rendering.tunnel().isUsed()) {
      rules.add(tunnel(slot));
    }
    if (slot != HostSlot.OUT) {
      rules.addAll(dispatch(slot, hasAll, workloadToHost));
      return List.of(new NftChain(slot.baseChain(), slot.hook(), rules));
    }
    rules.add(
        rule()
            .ctDestinationTranslated()
            .verdict(NftVerdict.ACCEPT)
            .build(Layout.ruleId("host", slot.word(), "translated")));
    rules.add(jump(OUT_DISPATCH, "host", slot.word(), "dispatch"));
    return List.of(
        new NftChain(slot.baseChain(), slot.hook(), rules),
        new NftChain(
            OUT_TRANSLATED,
            TRANSLATED_HOOK,
            List.of(
                established(slot.word()),
                rule()
                    .ctDestinationTranslated()
                    .fromLocalAddress()
                    .verdict(NftVerdict.jump(OUT_DISPATCH))
                    .build(Layout.ruleId("host", slot.word(), "translated")))),
        NftChain.regular(OUT_DISPATCH, dispatch(slot, hasAll, workloadToHost)));
  }

  /// Every chain that [#base] may give for the slot.
  static List<String> baseChains(HostSlot slot) {
    return slot == HostSlot.OUT
        ? List.of(slot.baseChain(), OUT_TRANSLATED, OUT_DISPATCH)
        : List.of(slot.baseChain());
  }

  /// Wrapped packets to and from other nodes are the cluster's, whatever policy says of the node;
  /// what is in them is policed where it goes.
  private NftRule tunnel(HostSlot slot) {
    Side remote =
        switch (slot.direction()) {
          case INGRESS -> Side.SOURCE;
          case EGRESS -> Side.DESTINATION;
        };
    int port = rendering.tunnel().port();
    return rule()
        .protocol(UDP, false)
        .port(Side.DESTINATION, port, port, false)
        .addressInSet(remote, Layout.TUNNEL_PEERS, Layout.TUNNEL_MACHINE, false)
        .verdict(NftVerdict.ACCEPT)
        .build(Layout.ruleId("host", slot.word(), "tunnel"));
  }

  private NftRule established(String slot) {
    return rule()
        .ctState(CtState.ESTABLISHED | CtState.RELATED)
        .verdict(NftVerdict.ACCEPT)
        .build(Layout.ruleId("host", slot, "established"));
  }

  private List<NftRule> dispatch(HostSlot slot, boolean hasAll, ToHostAction workloadToHost) {
    List<NftRule> rules = new ArrayList<>();
    boolean closed = slot == HostSlot.IN && workloadToHost == ToHostAction.DROP;
    if (hasAll) {
      rules.add(
          rule()
              .interfaceIs(slot.side(), LOOPBACK)
              .verdict(NftVerdict.ACCEPT)
              .build(Layout.ruleId("host", slot.word(), "loopback")));
    }
    for (String prefix : hasAll || closed ? settings.interfacePrefixes() : List.<String>of()) {
      NftRuleBuilder workload = rule().interfacePrefix(slot.side(), prefix);
      rules.add(
          (closed
                  ? workload.counter().verdict(NftVerdict.DROP)
                  : workload.verdict(NftVerdict.ACCEPT))
              .build(Layout.ruleId("host", slot.word(), "workload", prefix)));
    }
    rules.add(
        rule()
            .interfaceVerdict(slot.side(), Layout.HOSTS, slot.id())
            .build(Layout.ruleId("host", slot.word(), "dispatch")));
    if (hasAll) {
      rules.add(jump(slot.chain(""), "host", slot.word(), "all"));
    }
    return rules;
  }

  /// The chains of one endpoint in a slot.
  ///
  /// @param interfaceName empty for the endpoint that stands for all
  List<NftChain> endpoint(
      HostSlot slot,
      String interfaceName,
      HostEndpointKey key,
      HostEndpointPolicy policy,
      Predicate<String> hasProfile) {
    List<NftRule> rules = new ArrayList<>();
    if (slot.hasFailsafes()) {
      rules.addAll(failsafes(slot));
    }
    if (slot.stage() == HostStage.NORMAL || slot.stage() == HostStage.FORWARDED) {
      rules.add(
          rule()
              .ctState(CtState.INVALID)
              .counter()
              .verdict(NftVerdict.DROP)
              .build(Layout.ruleId("host", key.name(), slot.word(), "invalid")));
    }
    rules.addAll(allowedBefore(slot, interfaceName, key, policy));
    for (TierPolicies tier : slot.tiers(policy)) {
      rules.add(tier(slot.direction(), tier, slot.manner()));
    }
    if (slot.stage() == HostStage.NORMAL) {
      rules.addAll(profiles(slot, key, policy, hasProfile));
    } else {
      // Nothing was said: the packet goes on, past the endpoint that stands for all.
      rules.add(
          rule()
              .verdict(NftVerdict.ACCEPT)
              .build(Layout.ruleId("host", key.name(), slot.word(), "end")));
    }
    NftChain chain = NftChain.regular(slot.chain(interfaceName), rules);
    return slot == HostSlot.PRE_DNAT
        ? List.of(chain, allowedBeforeDnat(interfaceName, policy))
        : List.of(chain);
  }

  private List<NftRule> failsafes(HostSlot slot) {
    Direction there = slot.direction();
    Side remote =
        switch (there) {
          case INGRESS -> Side.SOURCE;
          case EGRESS -> Side.DESTINATION;
        };
    List<NftRule> rules = new ArrayList<>();
    rules.add(
        rule()
            .portAndAddressInSet(
                Layout.FAILSAFES, Layout.failsafes(there), Side.DESTINATION, remote)
            .verdict(NftVerdict.ACCEPT)
            .build(Layout.ruleId("host", slot.word(), "failsafe")));
    if (slot.stage() == HostStage.UNTRACKED) {
      // The answers, or half of a failsafe connection would go untracked. Further on they pass by
      // their connection only.
      rules.add(
          rule()
              .portAndAddressInSet(
                  Layout.FAILSAFES, Layout.failsafes(there.opposite()), Side.SOURCE, remote)
              .verdict(NftVerdict.ACCEPT)
              .build(Layout.ruleId("host", slot.word(), "failsafe-answer")));
    }
    return rules;
  }

  /// What an earlier stage allowed skips this one.
  private List<NftRule> allowedBefore(
      HostSlot slot, String interfaceName, HostEndpointKey key, HostEndpointPolicy policy) {
    List<NftRule> rules = new ArrayList<>();
    boolean isTranslatable = false;
    for (TierKey tier : before(slot, policy)) {
      if (tier.manner() == Manner.UNTRACKED_AGAIN) {
        rules.add(again(rule().ctState(CtState.UNTRACKED), tier));
      } else {
        isTranslatable = true;
      }
    }
    if (isTranslatable) {
      rules.add(jump(HostSlot.allowedBeforeDnat(interfaceName), "host", key.name(), "before-dnat"));
    }
    return rules;
  }

  /// Ends a packet that policy allowed before destination NAT. One that policy denied there would
  /// not have come this far, but by a failsafe port: it goes on as if nothing had been said.
  private NftChain allowedBeforeDnat(String interfaceName, HostEndpointPolicy policy) {
    List<NftRule> rules = new ArrayList<>();
    rules.add(
        NftRuleBuilder.ofOriginal(family)
            .portAndAddressInSet(
                Layout.FAILSAFES,
                Layout.failsafes(Direction.INGRESS),
                Side.DESTINATION,
                Side.SOURCE)
            .verdict(NftVerdict.RETURN)
            .build(Layout.ruleId("host", HostSlot.PRE_DNAT.word(), "failsafe")));
    List<TierKey> tiers = new ArrayList<>();
    again(HostSlot.PRE_DNAT, policy, Manner.PRE_DNAT_AGAIN, tiers);
    tiers.forEach(tier -> rules.add(again(rule(), tier)));
    return NftChain.regular(HostSlot.allowedBeforeDnat(interfaceName), rules);
  }

  private NftRule again(NftRuleBuilder when, TierKey tier) {
    return when.verdict(NftVerdict.jump(Layout.tierChain(tier)))
        .build(
            Layout.ruleId(
                "tier", tier.tier().tier(), tier.direction().word(), tier.manner().word()));
  }

  /// The tiers of earlier stages that a slot asks again.
  static List<TierKey> before(HostSlot slot, HostEndpointPolicy policy) {
    List<TierKey> before = new ArrayList<>();
    switch (slot) {
      // Nothing is earlier; and what is forwarded meets no untracked policy on its way out.
      case UNTRACKED_IN, UNTRACKED_OUT, FORWARD_OUT -> {}
      case OUT -> again(HostSlot.UNTRACKED_OUT, policy, Manner.UNTRACKED_AGAIN, before);
      case PRE_DNAT -> again(HostSlot.UNTRACKED_IN, policy, Manner.UNTRACKED_AGAIN, before);
      case IN, FORWARD_IN -> {
        again(HostSlot.UNTRACKED_IN, policy, Manner.UNTRACKED_AGAIN, before);
        again(HostSlot.PRE_DNAT, policy, Manner.PRE_DNAT_AGAIN, before);
      }
    }
    return before;
  }

  private static void again(
      HostSlot earlier, HostEndpointPolicy policy, Manner manner, List<TierKey> before) {
    for (TierPolicies tier : earlier.tiers(policy)) {
      if (tier.isEnforced()) {
        before.add(new TierKey(earlier.direction(), tier, manner));
      }
    }
  }

  private List<NftRule> profiles(
      HostSlot slot, HostEndpointKey key, HostEndpointPolicy policy, Predicate<String> hasProfile) {
    List<NftRule> rules = new ArrayList<>();
    for (String profile : policy.profiles()) {
      if (hasProfile.test(profile)) {
        rules.add(
            jump(
                Layout.profileChain(profile, slot.direction()),
                "profile",
                profile,
                slot.direction().word()));
      } else {
        rules.addAll(rendering.drop(new RuleOrigin.MissingProfile(profile, slot.direction())));
      }
    }
    rules.addAll(
        rendering.drop(new RuleOrigin.EndOfHostEndpoint(key, slot.direction(), slot.word())));
    return rules;
  }

  private NftRule tier(Direction direction, TierPolicies tier, Manner manner) {
    return jump(
        Layout.tierChain(new TierKey(direction, tier, manner)),
        "tier",
        tier.tier(),
        direction.word());
  }

  private NftRule jump(String chain, String... id) {
    return rule().verdict(NftVerdict.jump(chain)).build(Layout.ruleId(id));
  }
}
