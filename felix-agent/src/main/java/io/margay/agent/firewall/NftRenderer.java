package io.margay.agent.firewall;

import io.margay.linux.nft.NftChain;
import io.margay.linux.nft.NftExpr.CtState;
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
/// endpoint's egress policy; what then becomes of it, and of packets of the node's own interfaces,
/// is the [HostRenderer]'s.
final class NftRenderer {

  private static final int TCP = 6;
  private static final int UDP = 17;
  private static final int IPIP = 4;

  /// FIN, SYN, RST and ACK; a connection begins with SYN alone (RFC 9293 §3.10.7).
  static final int TCP_FLAGS = 0x17;

  static final int TCP_SYN = 0x02;

  private final IpFamily family;
  private final FirewallSettings settings;
  private final Rendering rendering;

  NftRenderer(FirewallSettings settings, Rendering rendering) {
    this.family = rendering.family();
    this.settings = settings;
    this.rendering = rendering;
  }

  private NftRuleBuilder rule() {
    return new NftRuleBuilder(family);
  }

  /// A policy's own chain, or none where it has no rules or must be written out in its tiers.
  @Nullable RenderedChain policy(PolicyKey key, Direction direction, RuleSet rules) {
    if (!hasOwnChain(key, direction.rules(rules))) {
      return null;
    }
    Set<RuleList> lists = new HashSet<>();
    return new RenderedChain(
        NftChain.regular(
            Layout.policyChain(key, direction),
            policyRules(
                key,
                direction,
                direction.rules(rules),
                key.isStaged() ? Manner.STAGED : Manner.ENFORCED,
                lists)),
        lists);
  }

  /// A staged policy decides nothing, so nothing of it need leave the tier.
  private static boolean hasOwnChain(PolicyKey key, List<ComputedRule> rules) {
    return !rules.isEmpty()
        && (key.isStaged() || rules.stream().noneMatch(r -> r.action() == RuleAction.PASS));
  }

  private List<NftRule> policyRules(
      PolicyKey key,
      Direction direction,
      List<ComputedRule> rules,
      Manner manner,
      Set<RuleList> lists) {
    return rules(
        rule ->
            manner == Manner.STAGED
                ? new RuleOrigin.StagedRule(key, direction, rule.index(), rule.action())
                : new RuleOrigin.PolicyRule(key, direction, rule.index()),
        rules,
        manner,
        NftVerdict.RETURN,
        lists);
  }

  private List<NftRule> rules(
      Function<ComputedRule, RuleOrigin> origins,
      List<ComputedRule> rules,
      Manner manner,
      NftVerdict pass,
      Set<RuleList> lists) {
    List<NftRule> rendered = new ArrayList<>();
    for (ComputedRule rule : rules) {
      rendered.addAll(
          RuleRenderer.render(rule, rendering, manner, origins.apply(rule), pass, lists));
    }
    return rendered;
  }

  /// @param policies null for a policy that is not known: closed
  RenderedChain tier(TierKey key, Function<PolicyKey, @Nullable RuleSet> policies) {
    return DenseTier.render(key, rendering, policies).orElseGet(() -> sparseTier(key, policies));
  }

  private RenderedChain sparseTier(TierKey key, Function<PolicyKey, @Nullable RuleSet> policies) {
    TierPolicies tier = key.tier();
    Direction direction = key.direction();
    List<NftRule> rules = new ArrayList<>();
    Set<RuleList> lists = new HashSet<>();
    for (PolicyKey policy : tier.policies()) {
      if (policy.isStaged() && key.manner().isRepeated()) {
        continue;
      }
      @Nullable RuleSet known = policies.apply(policy);
      if (known == null && policy.isStaged()) {
        continue;
      }
      if (known == null) {
        rules.addAll(rendering.drop(new RuleOrigin.MissingPolicy(policy, direction)));
      } else if (hasOwnChain(policy, direction.rules(known))
          && (policy.isStaged() || key.manner() == Manner.ENFORCED)) {
        rules.add(
            jump(
                Layout.policyChain(policy, direction),
                policy.isStaged() ? "staged" : "policy",
                policy.toString(),
                direction.word()));
      } else {
        rules.addAll(policyRules(policy, direction, direction.rules(known), key.manner(), lists));
      }
    }
    if (tier.endAction() == RuleAction.DENY) {
      rules.addAll(rendering.drop(new RuleOrigin.EndOfTier(tier.tier(), direction)));
    }
    return new RenderedChain(NftChain.regular(Layout.tierChain(key), rules), lists);
  }

  RenderedChain profile(String name, Direction direction, RuleSet rules) {
    Set<RuleList> lists = new HashSet<>();
    return new RenderedChain(
        NftChain.regular(
            Layout.profileChain(name, direction),
            rules(
                rule -> new RuleOrigin.ProfileRule(name, direction, rule.index()),
                direction.rules(rules),
                Manner.ENFORCED,
                NftVerdict.DROP,
                lists)),
        lists);
  }

  /// The chain an interface dispatches to.
  NftChain endpoint(
      EndpointKey key, EndpointPolicy policy, Direction direction, Predicate<String> hasProfile) {
    List<NftRule> rules = new ArrayList<>();
    rules.addAll(foreignWire(policy, key, direction));
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
          rule()
              .verdict(NftVerdict.jump(Layout.tierChain(new TierKey(direction, tier))))
              .build(new RuleOrigin.IntoTier(tier.tier(), direction).id()));
    }
    for (String profile : policy.profiles()) {
      if (hasProfile.test(profile)) {
        rules.add(
            jump(Layout.profileChain(profile, direction), "profile", profile, direction.word()));
      } else {
        rules.addAll(rendering.drop(new RuleOrigin.MissingProfile(profile, direction)));
      }
    }
    rules.addAll(rendering.drop(new RuleOrigin.EndOfEndpoint(key, direction)));
    return NftChain.regular(endpointChain(policy.interfaceName(), direction), rules);
  }

  /// What the base chains do for interfaces by their prefix, for one that another plugin made and
  /// named.
  private List<NftRule> foreignWire(EndpointPolicy policy, EndpointKey key, Direction direction) {
    if (settings.isNamedByUs(policy.interfaceName())) {
      return List.of();
    }
    List<NftRule> rules = new ArrayList<>();
    rules.add(
        rule()
            .ctState(CtState.INVALID)
            .counter()
            .verdict(NftVerdict.DROP)
            .build(Layout.ruleId("endpoint", key.toString(), direction.word(), "invalid")));
    if (family == IpFamily.IPV6 && direction == Direction.EGRESS) {
      rules.addAll(
          BaseRenderer.neighbourDiscoveryOnLink(
              this::rule, "endpoint|" + key + "|" + direction.word()));
    }
    if (direction == Direction.EGRESS) {
      NftRuleBuilder stranger = rule().interfaceAndSource(Layout.OWNED, true);
      for (Prefix prefix : MaximalPrefixes.of(policy.spoofable(), family)) {
        stranger.address(Side.SOURCE, prefix, true);
      }
      rules.add(
          stranger
              .counter()
              .verdict(NftVerdict.DROP)
              .build(Layout.ruleId("endpoint", key.toString(), direction.word(), "spoof")));
    }
    return rules;
  }

  /// Tunnels from an endpoint would carry packets past every policy.
  private List<NftRule> encapsulation(EndpointKey key) {
    List<NftRule> rules = new ArrayList<>();
    rules.add(vxlan(key, TunnelGuard.WELL_KNOWN_PORT, "vxlan"));
    int port = rendering.tunnel().port();
    if (port != TunnelGuard.WELL_KNOWN_PORT) {
      rules.add(vxlan(key, port, "vxlan-port"));
    }
    rules.add(
        rule()
            .protocol(IPIP, false)
            .counter()
            .verdict(NftVerdict.DROP)
            .build(Layout.ruleId("endpoint", key.toString(), "egress", "ipip")));
    return rules;
  }

  private NftRule vxlan(EndpointKey key, int port, String word) {
    return rule()
        .protocol(UDP, false)
        .port(Side.DESTINATION, port, port, false)
        .counter()
        .verdict(NftVerdict.DROP)
        .build(Layout.ruleId("endpoint", key.toString(), "egress", word));
  }

  static String endpointChain(InterfaceName name, Direction direction) {
    return direction.endpointChain() + name;
  }

  private NftRule jump(String chain, String... id) {
    return rule().verdict(NftVerdict.jump(chain)).build(Layout.ruleId(id));
  }
}
