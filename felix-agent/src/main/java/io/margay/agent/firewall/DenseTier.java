package io.margay.agent.firewall;

import io.margay.linux.nft.NftChain;
import io.margay.linux.nft.NftRule;
import io.margay.linux.nft.NftRuleBuilder;
import io.margay.linux.nft.NftRuleBuilder.Side;
import io.margay.linux.nft.NftVerdict;
import io.margay.model.net.IpFamily;
import io.margay.policy.ComputedRule;
import io.margay.policy.PolicyKey;
import io.margay.policy.RuleAction;
import io.margay.policy.RuleSet;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// A tier of so many policies that walking them would cost each new connection dearly: its rules
/// are written out in the tier's own chain, merged where their order does not matter. Pure.
final class DenseTier {

  /// Rules of policies that merging must save for the tier to give up its policies' shared chains.
  static final int MIN_SAVED = 16;

  private final TierKey key;
  private final IpFamily family;
  private final SetShapes shapes;
  private final Rendering rendering;
  private final List<AllowRun.Item> items = new ArrayList<>();

  /// For each item, the rules that allow among which its order was given up; none for the others.
  private final List<List<PolicyRule>> runs = new ArrayList<>();

  private int read;
  private int groups;
  private final List<NftRule> rules = new ArrayList<>();
  private final Set<RuleList> lists = new HashSet<>();
  private final Set<SetUnion> unions = new HashSet<>();
  private final Map<String, List<PolicyRule>> merged = new LinkedHashMap<>();

  private DenseTier(TierKey key, Rendering rendering) {
    this.key = key;
    this.family = rendering.family();
    this.shapes = rendering.shapes();
    this.rendering = rendering;
  }

  /// @param policies null for a policy that is not known
  /// @return empty if merging would not save much: the ordinary layout is the better one then
  static Optional<RenderedChain> render(
      TierKey key, Rendering rendering, Function<PolicyKey, @Nullable RuleSet> policies) {
    if (key.manner() != Manner.ENFORCED) {
      return Optional.empty();
    }
    DenseTier tier = new DenseTier(key, rendering);
    return tier.read(policies) && tier.isWorthIt() ? Optional.of(tier.finish()) : Optional.empty();
  }

  /// @return false if a policy is missing
  private boolean read(Function<PolicyKey, @Nullable RuleSet> policies) {
    List<PolicyRule> run = new ArrayList<>();
    for (PolicyKey policy : key.tier().policies()) {
      RuleSet known = policies.apply(policy);
      if (policy.isStaged()) {
        if (known != null && !key.direction().rules(known).isEmpty()) {
          // It counts what comes as far as its place.
          merge(run);
          add(new AllowRun.Item.Staged(policy), List.of());
        }
        continue;
      }
      if (known == null) {
        return false;
      }
      for (ComputedRule rule : key.direction().rules(known)) {
        read++;
        if (rule.action() == RuleAction.ALLOW) {
          run.add(new PolicyRule(policy, rule));
        } else {
          merge(run);
          add(new AllowRun.Item.Single(new PolicyRule(policy, rule)), List.of());
        }
      }
    }
    merge(run);
    return true;
  }

  private void merge(List<PolicyRule> run) {
    List<PolicyRule> members = List.copyOf(run);
    for (AllowRun.Item item : new AllowRun(key.direction(), family, shapes).merge(run)) {
      add(item, members);
    }
    run.clear();
  }

  private void add(AllowRun.Item item, List<PolicyRule> run) {
    items.add(item);
    runs.add(run);
  }

  private boolean isWorthIt() {
    int saved = read - items.size();
    return saved >= MIN_SAVED && saved >= read / 2;
  }

  private void write(AllowRun.Item item, List<PolicyRule> run) {
    switch (item) {
      case AllowRun.Item.Single(PolicyRule(PolicyKey policy, ComputedRule rule)) -> {
        RuleOrigin origin = new RuleOrigin.PolicyRule(policy, key.direction(), rule.index());
        if (run.size() > 1) {
          merged.put(origin.id(), run);
        }
        write(rule, origin);
      }
      case AllowRun.Item.Staged(PolicyKey policy) ->
          rules.add(
              new NftRuleBuilder(family)
                  .verdict(NftVerdict.jump(Layout.policyChain(policy, key.direction())))
                  .build(Layout.ruleId("policy", policy.toString(), key.direction().word())));
      case AllowRun.Item.Alike alike -> {
        unions.add(alike.union());
        write(alike.rule(), mergedOrigin(run));
      }
      case AllowRun.Item.Ports ports -> write(ports, run);
    }
  }

  private void write(ComputedRule rule, RuleOrigin origin) {
    rules.addAll(
        RuleRenderer.render(rule, rendering, Manner.ENFORCED, origin, NftVerdict.RETURN, lists));
  }

  private void write(AllowRun.Item.Ports ports, List<PolicyRule> run) {
    lists.add(ports.ports());
    unions.addAll(ports.unions());
    int list = shapes.id(ports.ports());
    RuleOrigin origin = mergedOrigin(run);
    allow(
        new NftRuleBuilder(family).addressInSetOfPort(side(), Layout.GRANTS, list, Layout.MEMBERS),
        origin);
    Set<Integer> lengths = new TreeSet<>();
    ports.unions().forEach(union -> lengths.addAll(shapes.prefixLengths(union.id(), family)));
    for (int length : lengths) {
      allow(
          new NftRuleBuilder(family)
              .prefixInSetOfPort(side(), Layout.GRANTS, list, Layout.PREFIXES, length),
          origin);
    }
  }

  private void allow(NftRuleBuilder matches, RuleOrigin origin) {
    rules.addAll(
        rendering
            .logger()
            .decide(
                matches,
                RuleAction.ALLOW,
                origin,
                rule -> rule.counter().verdict(NftVerdict.ACCEPT)));
  }

  private Side side() {
    return switch (key.direction()) {
      case INGRESS -> Side.SOURCE;
      case EGRESS -> Side.DESTINATION;
    };
  }

  private RuleOrigin mergedOrigin(List<PolicyRule> run) {
    RuleOrigin origin = new RuleOrigin.MergedRules(key.tier().tier(), key.direction(), groups++);
    merged.put(origin.id(), run);
    return origin;
  }

  private RenderedChain finish() {
    for (int i = 0; i < items.size(); i++) {
      write(items.get(i), runs.get(i));
    }
    if (key.tier().endAction() == RuleAction.DENY) {
      rules.addAll(rendering.drop(new RuleOrigin.EndOfTier(key.tier().tier(), key.direction())));
    }
    return new RenderedChain(NftChain.regular(Layout.tierChain(key), rules), lists, unions, merged);
  }
}
