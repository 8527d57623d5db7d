package io.margay.agent.firewall;

import io.margay.linux.nft.NftChain;
import io.margay.linux.nft.NftExpr.CtState;
import io.margay.linux.nft.NftHook;
import io.margay.linux.nft.NftRule;
import io.margay.linux.nft.NftRuleBuilder;
import io.margay.linux.nft.NftRuleBuilder.Side;
import io.margay.linux.nft.NftVerdict;
import io.margay.model.net.InterfaceName;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.policy.ComputedRule;
import io.margay.policy.EndpointKey;
import io.margay.policy.EndpointPolicy;
import io.margay.policy.PolicyKey;
import io.margay.policy.RuleAction;
import io.margay.policy.RuleSet;
import io.margay.policy.TierPolicies;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// Policy as chains of one family. Pure: equal inputs, equal chains.
///
/// A packet from an endpoint walks `egress` (prerouting: after DNAT, before routing) →
/// `e-<interface>` → tiers → profiles; one to an endpoint walks `ingress` (forward) →
/// `i-<interface>` likewise. No packet marks: allow is `accept`, which ends our base chain only;
/// deny is `drop`; pass is `return` out of the tier's chain. So policies that pass are written out
/// in the tier's chain, and all others are chains of their own, shared by every tier that has them.
///
/// A packet from the node itself to its endpoint takes the output hook, where we have no chain: it
/// is always allowed, as kubelet's probes need. One from an endpoint to the node is subject to the
/// endpoint's egress policy and then accepted.
final class NftRenderer {

  /// After DNAT (-100), so policy sees the pod that answers; odd, to stay clear of other tools.
  private static final NftHook EGRESS_HOOK =
      new NftHook(NftHook.Type.FILTER, NftHook.Point.PREROUTING, -91);

  private static final NftHook INGRESS_HOOK =
      new NftHook(NftHook.Type.FILTER, NftHook.Point.FORWARD, -11);

  /// Before connection tracking, so established flows cannot spoof either.
  private static final NftHook SPOOF_HOOK =
      new NftHook(NftHook.Type.FILTER, NftHook.Point.PREROUTING, -301);

  private static final NftHook NAT_HOOK =
      new NftHook(NftHook.Type.NAT, NftHook.Point.POSTROUTING, 101);

  /// Before policy, which sees the pod that answers.
  private static final NftHook HOST_PORTS_HOOK =
      new NftHook(NftHook.Type.NAT, NftHook.Point.PREROUTING, -99);

  private static final NftHook HOST_PORTS_LOCAL_HOOK =
      new NftHook(NftHook.Type.NAT, NftHook.Point.OUTPUT, -99);

  private static final int TCP = 6;
  private static final int UDP = 17;
  private static final int ICMPV6 = 58;
  private static final int IPIP = 4;
  private static final int VXLAN_PORT = 4789;

  /// FIN, SYN, RST and ACK; a connection begins with SYN alone (RFC 9293 §3.10.7).
  private static final int TCP_FLAGS = 0x17;

  private static final int TCP_SYN = 0x02;

  private static final Prefix LINK_LOCAL = Prefix.parse("fe80::/10");
  private static final Prefix LOOPBACK_IPV4 = Prefix.parse("127.0.0.0/8");
  private static final Prefix LOOPBACK_IPV6 = Prefix.parse("::1/128");
  private static final Prefix UNSPECIFIED = Prefix.parse("::/128");

  private final IpFamily family;
  private final FirewallSettings settings;
  private final SetShapes shapes;

  NftRenderer(IpFamily family, FirewallSettings settings, SetShapes shapes) {
    this.family = family;
    this.settings = settings;
    this.shapes = shapes;
  }

  private NftRuleBuilder rule() {
    return new NftRuleBuilder(family);
  }

  /// The chains every packet meets, whatever the policies.
  List<NftChain> baseChains() {
    return List.of(
        new NftChain(Layout.SPOOF_CHAIN, SPOOF_HOOK, spoof()),
        new NftChain(Layout.EGRESS_CHAIN, EGRESS_HOOK, dispatch(Direction.EGRESS, Side.SOURCE)),
        new NftChain(
            Layout.INGRESS_CHAIN, INGRESS_HOOK, dispatch(Direction.INGRESS, Side.DESTINATION)));
  }

  private List<NftRule> spoof() {
    List<NftRule> rules = new ArrayList<>();
    for (String prefix : settings.interfacePrefixes()) {
      if (family == IpFamily.IPV6) {
        // Neighbour discovery and multicast listener reports come from link-local addresses, or
        // from none while an address is being checked (RFC 4862 §5.4.2, RFC 3590).
        for (Prefix source : List.of(LINK_LOCAL, UNSPECIFIED)) {
          rules.addAll(
              neighbourDiscovery(
                  () ->
                      rule()
                          .interfacePrefix(Side.SOURCE, prefix)
                          .address(Side.SOURCE, source, false),
                  "spoof"));
        }
      }
      rules.add(
          rule()
              .interfacePrefix(Side.SOURCE, prefix)
              .interfaceAndSource(Layout.OWNED, true)
              .counter()
              .verdict(NftVerdict.DROP)
              .build(Layout.ruleId("spoof", "source", prefix)));
    }
    return rules;
  }

  private interface Start {
    NftRuleBuilder get();
  }

  /// ICMPv6 types without which an endpoint has no link: neighbour discovery (RFC 4861 §4, 133 to
  /// 136) and multicast listeners (RFC 2710, RFC 3810: 130 to 132, 143).
  private static List<NftRule> neighbourDiscovery(Start start, String chain) {
    return List.of(
        start
            .get()
            .protocol(ICMPV6, false)
            .icmpTypes(130, 136)
            .verdict(NftVerdict.ACCEPT)
            .build(Layout.ruleId(chain, "neighbour-discovery")),
        start
            .get()
            .protocol(ICMPV6, false)
            .icmpType(143, false)
            .verdict(NftVerdict.ACCEPT)
            .build(Layout.ruleId(chain, "multicast-listener")));
  }

  private List<NftRule> dispatch(Direction direction, Side side) {
    String chain = direction.word();
    List<NftRule> rules = new ArrayList<>();
    rules.add(
        rule()
            .ctState(CtState.ESTABLISHED | CtState.RELATED)
            .verdict(NftVerdict.ACCEPT)
            .build(Layout.ruleId(chain, "established")));
    for (String prefix : settings.interfacePrefixes()) {
      // Only ours: other traffic of the node may well be asymmetric.
      rules.add(
          rule()
              .interfacePrefix(side, prefix)
              .ctState(CtState.INVALID)
              .counter()
              .verdict(NftVerdict.DROP)
              .build(Layout.ruleId(chain, "invalid", prefix)));
      if (family == IpFamily.IPV6) {
        rules.addAll(neighbourDiscovery(() -> rule().interfacePrefix(side, prefix), chain));
      }
      if (family == IpFamily.IPV4 && direction == Direction.EGRESS) {
        // The kernel refuses these by itself, but for interfaces with route_localnet, as those of
        // pods with host ports are; there a pod must not reach what listens for the node alone.
        rules.add(
            rule()
                .interfacePrefix(side, prefix)
                .address(Side.DESTINATION, LOOPBACK_IPV4, false)
                .counter()
                .verdict(NftVerdict.DROP)
                .build(Layout.ruleId(chain, "loopback", prefix)));
      }
    }
    rules.add(
        rule()
            .interfaceVerdict(side, Layout.dispatch(direction))
            .build(Layout.ruleId(chain, "dispatch")));
    for (String prefix : settings.interfacePrefixes()) {
      rules.add(
          rule()
              .interfacePrefix(side, prefix)
              .counter()
              .verdict(NftVerdict.DROP)
              .build(Layout.ruleId(chain, "unknown-interface", prefix)));
    }
    return rules;
  }

  /// The chain that masquerades; empty if nothing of the family is.
  @Nullable RenderedChain natOutgoing(NatOutgoing nat) {
    RuleList.Prefixes from = RuleList.Prefixes.of(nat.masqueradePools(), family);
    RuleList.Prefixes inside = RuleList.Prefixes.of(nat.allPools(), family);
    if (from.prefixes().isEmpty()) {
      return null;
    }
    NftRule masquerade =
        rule()
            .addressInSet(Side.SOURCE, Layout.CIDRS, shapes.id(from), false)
            .addressInSet(Side.DESTINATION, Layout.CIDRS, shapes.id(inside), true)
            .masquerade()
            .build(Layout.ruleId("nat-outgoing"));
    return new RenderedChain(
        new NftChain(Layout.NAT_CHAIN, NAT_HOOK, List.of(masquerade)),
        new HashSet<>(List.of(from, inside)));
  }

  /// The chains that lead ports of the node to endpoints: for packets that come in, for those of
  /// the node itself, and for answers that must come back by way of the node.
  List<NftChain> hostPorts() {
    List<NftRule> back = new ArrayList<>();
    back.add(
        rule().addressPair(Layout.HAIRPIN).masquerade().build(Layout.ruleId("host-port", "self")));
    if (family == IpFamily.IPV4) {
      for (String prefix : settings.interfacePrefixes()) {
        back.add(
            rule()
                .interfacePrefix(Side.DESTINATION, prefix)
                .address(Side.SOURCE, LOOPBACK_IPV4, false)
                .masquerade()
                .build(Layout.ruleId("host-port", "localhost", prefix)));
      }
    }
    return List.of(
        new NftChain(Layout.HOST_PORTS_CHAIN, HOST_PORTS_HOOK, leadToEndpoints(this::rule)),
        new NftChain(
            Layout.HOST_PORTS_LOCAL_CHAIN,
            HOST_PORTS_LOCAL_HOOK,
            leadToEndpoints(
                () ->
                    switch (family) {
                      case IPV4 -> rule();
                      // ::1 cannot leave the node under any name, so what listens there answers.
                      case IPV6 -> rule().address(Side.DESTINATION, LOOPBACK_IPV6, true);
                    })),
        new NftChain(Layout.HOST_PORTS_BACK_CHAIN, NAT_HOOK, back));
  }

  /// The node's very address goes first.
  private static List<NftRule> leadToEndpoints(Start start) {
    return List.of(
        start
            .get()
            .toLocalAddress()
            .destinationByAddressAndPort(Layout.HOST_PORTS_AT)
            .build(Layout.ruleId("host-port", "at")),
        start
            .get()
            .toLocalAddress()
            .destinationByPort(Layout.HOST_PORTS)
            .build(Layout.ruleId("host-port", "any")));
  }

  /// A policy's own chain, or none where it has no rules or must be written out in its tiers.
  @Nullable RenderedChain policy(PolicyKey key, Direction direction, RuleSet rules) {
    if (!hasOwnChain(direction.rules(rules))) {
      return null;
    }
    Set<RuleList> lists = new HashSet<>();
    return new RenderedChain(
        NftChain.regular(
            Layout.policyChain(key, direction),
            policyRules(key, direction, direction.rules(rules), lists)),
        lists);
  }

  private static boolean hasOwnChain(List<ComputedRule> rules) {
    return !rules.isEmpty() && rules.stream().noneMatch(r -> r.action() == RuleAction.PASS);
  }

  private List<NftRule> policyRules(
      PolicyKey key, Direction direction, List<ComputedRule> rules, Set<RuleList> lists) {
    return rules("policy", key.toString(), direction, rules, NftVerdict.RETURN, lists);
  }

  private List<NftRule> rules(
      String kind,
      String name,
      Direction direction,
      List<ComputedRule> rules,
      NftVerdict pass,
      Set<RuleList> lists) {
    List<NftRule> rendered = new ArrayList<>();
    for (ComputedRule rule : rules) {
      String id = Layout.ruleId(kind, name, direction.word(), Integer.toString(rule.index()));
      rendered.addAll(RuleRenderer.render(rule, family, id, pass, shapes, lists));
    }
    return rendered;
  }

  /// @param policies null for a policy that is not known: closed
  RenderedChain tier(TierKey key, Function<PolicyKey, @Nullable RuleSet> policies) {
    TierPolicies tier = key.tier();
    Direction direction = key.direction();
    List<NftRule> rules = new ArrayList<>();
    Set<RuleList> lists = new HashSet<>();
    for (PolicyKey policy : tier.policies()) {
      @Nullable RuleSet known = policies.apply(policy);
      if (known == null) {
        rules.add(drop("policy", policy.toString(), direction.word(), "missing"));
      } else if (hasOwnChain(direction.rules(known))) {
        rules.add(
            jump(
                Layout.policyChain(policy, direction),
                "policy",
                policy.toString(),
                direction.word()));
      } else {
        rules.addAll(policyRules(policy, direction, direction.rules(known), lists));
      }
    }
    if (tier.endAction() == RuleAction.DENY) {
      rules.add(drop("tier", tier.tier(), direction.word(), "end"));
    }
    return new RenderedChain(NftChain.regular(Layout.tierChain(key), rules), lists);
  }

  RenderedChain profile(String name, Direction direction, RuleSet rules) {
    Set<RuleList> lists = new HashSet<>();
    return new RenderedChain(
        NftChain.regular(
            Layout.profileChain(name, direction),
            rules("profile", name, direction, direction.rules(rules), NftVerdict.DROP, lists)),
        lists);
  }

  /// The chain an interface dispatches to.
  NftChain endpoint(
      EndpointKey key, EndpointPolicy policy, Direction direction, Predicate<String> hasProfile) {
    List<NftRule> rules = new ArrayList<>();
    rules.addAll(foreignWire(policy.interfaceName(), key, direction));
    // A connection forgotten or deleted must not come back to life in its middle, where the
    // packet's
    // direction may be the opposite of the connection's.
    rules.add(
        rule()
            .ctState(CtState.NEW)
            .protocol(TCP, false)
            .tcpFlags(TCP_FLAGS, TCP_SYN, true)
            .counter()
            .verdict(NftVerdict.DROP)
            .build(Layout.ruleId("endpoint", key.toString(), direction.word(), "not-syn")));
    if (direction == Direction.EGRESS) {
      rules.addAll(encapsulation(key));
    }
    for (TierPolicies tier : direction.tiers(policy)) {
      rules.add(
          jump(
              Layout.tierChain(new TierKey(direction, tier)),
              "tier",
              tier.tier(),
              direction.word()));
    }
    for (String profile : policy.profiles()) {
      if (hasProfile.test(profile)) {
        rules.add(
            jump(Layout.profileChain(profile, direction), "profile", profile, direction.word()));
      } else {
        rules.add(drop("profile", profile, direction.word(), "missing"));
      }
    }
    rules.add(drop("endpoint", key.toString(), direction.word(), "end"));
    return NftChain.regular(endpointChain(policy.interfaceName(), direction), rules);
  }

  /// What the base chains do for interfaces by their prefix, for one that another plugin made and
  /// named.
  private List<NftRule> foreignWire(InterfaceName name, EndpointKey key, Direction direction) {
    if (settings.isNamedByUs(name)) {
      return List.of();
    }
    List<NftRule> rules = new ArrayList<>();
    rules.add(
        rule()
            .ctState(CtState.INVALID)
            .counter()
            .verdict(NftVerdict.DROP)
            .build(Layout.ruleId("endpoint", key.toString(), direction.word(), "invalid")));
    if (family == IpFamily.IPV6) {
      rules.addAll(neighbourDiscovery(() -> rule(), "endpoint|" + key + "|" + direction.word()));
    }
    if (direction == Direction.EGRESS) {
      rules.add(
          rule()
              .interfaceAndSource(Layout.OWNED, true)
              .counter()
              .verdict(NftVerdict.DROP)
              .build(Layout.ruleId("endpoint", key.toString(), direction.word(), "spoof")));
    }
    return rules;
  }

  /// Tunnels from an endpoint would carry packets past every policy.
  private List<NftRule> encapsulation(EndpointKey key) {
    return List.of(
        rule()
            .protocol(UDP, false)
            .port(Side.DESTINATION, VXLAN_PORT, VXLAN_PORT, false)
            .counter()
            .verdict(NftVerdict.DROP)
            .build(Layout.ruleId("endpoint", key.toString(), "egress", "vxlan")),
        rule()
            .protocol(IPIP, false)
            .counter()
            .verdict(NftVerdict.DROP)
            .build(Layout.ruleId("endpoint", key.toString(), "egress", "ipip")));
  }

  static String endpointChain(InterfaceName name, Direction direction) {
    return direction.endpointChain() + name;
  }

  private NftRule drop(String... id) {
    return rule().counter().verdict(NftVerdict.DROP).build(Layout.ruleId(id));
  }

  private NftRule jump(String chain, String... id) {
    return rule().verdict(NftVerdict.jump(chain)).build(Layout.ruleId(id));
  }
}
