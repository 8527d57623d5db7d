package io.margay.agent.firewall;

import io.margay.linux.nft.NftRule;
import io.margay.linux.nft.NftRuleBuilder;
import io.margay.linux.nft.NftRuleBuilder.Side;
import io.margay.linux.nft.NftVerdict;
import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.policy.ComputedRule;
import io.margay.policy.IcmpMatch;
import io.margay.policy.PeerMatch;
import io.margay.policy.PortRange;
import io.margay.policy.RuleAction;
import io.margay.policy.SetId;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/// One computed rule as kernel rules of one family.
///
/// A kernel rule is a conjunction; where a computed rule says "one of", it becomes several kernel
/// rules with the same verdict, or, past a limit, one lookup in a [RuleList].
final class RuleRenderer {

  /// Kernel rules one computed rule may become by its lists; past it, lists go into sets.
  static final int MAX_ALTERNATIVES = 16;

  private static final Set<Integer> PROTOCOLS_WITH_PORTS = Set.of(6, 17, 132, 136);
  private static final Set<Integer> ICMP_PROTOCOLS = Set.of(1, 58);

  private final IpFamily family;
  private final Manner manner;
  private final SetShapes shapes;
  private final PacketLogger logger;
  private final Set<RuleList> lists;
  private List<NftRuleBuilder> alternatives;
  private int budget = MAX_ALTERNATIVES;

  /// @param lists gains what the rules look up
  private RuleRenderer(Rendering rendering, Manner manner, Set<RuleList> lists) {
    this.family = rendering.family();
    this.manner = manner;
    this.shapes = rendering.shapes();
    this.logger = rendering.logger();
    this.lists = lists;
    this.alternatives = List.of(manner.rule(family));
  }

  /// @param origin gives the rules their id
  /// @param pass what RuleAction.PASS means where the rule stands
  /// @return none if the rule matches nothing of the family
  static List<NftRule> render(
      ComputedRule rule,
      Rendering rendering,
      Manner manner,
      RuleOrigin origin,
      NftVerdict pass,
      Set<RuleList> lists) {
    IpFamily family = rendering.family();
    if (rule.ipVersion() != null && rule.ipVersion() != family
        || matchesNothing(rule.source(), family)
        || matchesNothing(rule.destination(), family)
        || rule.action() == RuleAction.LOG && manner.isRepeated()) {
      return List.of();
    }
    requireProtocol(rule);
    RuleRenderer renderer = new RuleRenderer(rendering, manner, lists);
    renderer.protocols(rule);
    // A port is compared in a fraction of the time that looking an address up takes, and most rules
    // that don't match a packet differ in it.
    renderer.ports(rule.source(), Side.SOURCE);
    renderer.notPorts(rule.source(), Side.SOURCE);
    renderer.ports(rule.destination(), Side.DESTINATION);
    renderer.notPorts(rule.destination(), Side.DESTINATION);
    renderer.addresses(rule.source(), Side.SOURCE);
    renderer.addresses(rule.destination(), Side.DESTINATION);
    return renderer.finish(rule.action(), origin, pass);
  }

  private static boolean matchesNothing(PeerMatch peer, IpFamily family) {
    boolean otherFamily =
        !peer.nets().isEmpty() && peer.nets().stream().noneMatch(p -> p.family() == family);
    boolean everythingExcluded =
        peer.notNets().stream().anyMatch(p -> p.family() == family && p.length() == 0);
    return otherFamily || everythingExcluded;
  }

  /// Reading ports or ICMP types of whatever protocol comes would match at random.
  private static void requireProtocol(ComputedRule rule) {
    Integer protocol = rule.protocol();
    boolean ports = hasPorts(rule.source()) || hasPorts(rule.destination());
    boolean icmp = rule.icmp() != null || rule.notIcmp() != null;
    if (ports && (protocol == null || !PROTOCOLS_WITH_PORTS.contains(protocol))
        || icmp && (protocol == null || !ICMP_PROTOCOLS.contains(protocol))) {
      throw new IllegalArgumentException(
          "rule " + rule + " matches ports or ICMP types without a protocol that has them");
    }
  }

  /// Members of `namedPorts` say their protocol themselves.
  private static boolean hasPorts(PeerMatch peer) {
    return !peer.ports().isEmpty() || !peer.notPorts().isEmpty() || !peer.notNamedPorts().isEmpty();
  }

  private void protocols(ComputedRule rule) {
    if (rule.protocol() != null) {
      int protocol = rule.protocol();
      and(b -> b.protocol(protocol, false));
    }
    if (rule.notProtocol() != null) {
      int protocol = rule.notProtocol();
      and(b -> b.protocol(protocol, true));
    }
    if (rule.icmp() != null) {
      icmp(rule.icmp(), false);
    }
    if (rule.notIcmp() != null) {
      icmp(rule.notIcmp(), true);
    }
  }

  private void icmp(IcmpMatch icmp, boolean inverted) {
    Integer code = icmp.code();
    if (code == null) {
      and(b -> b.icmpType(icmp.type(), inverted));
    } else {
      and(b -> b.icmpTypeAndCode(icmp.type(), code, inverted));
    }
  }

  private void addresses(PeerMatch peer, Side side) {
    nets(peer.nets(), side);
    notNets(peer.notNets(), side);
    for (SetId set : peer.sets()) {
      int id = shapes.id(set);
      List<Consumer<NftRuleBuilder>> places = new ArrayList<>();
      for (int length : shapes.prefixLengths(set, family)) {
        places.add(b -> b.prefixInSet(side, Layout.PREFIXES, id, length, false));
      }
      // Last, for those whom a prefix covered until just now.
      places.add(b -> b.addressInSet(side, Layout.MEMBERS, id, false));
      either(places);
    }
    for (SetId set : peer.notSets()) {
      int id = shapes.id(set);
      for (int length : shapes.prefixLengths(set, family)) {
        and(b -> b.prefixInSet(side, Layout.PREFIXES, id, length, true));
      }
      and(b -> b.addressInSet(side, Layout.MEMBERS, id, true));
    }
  }

  private void nets(List<Prefix> nets, Side side) {
    List<Prefix> mine = MaximalPrefixes.of(nets, family);
    if (mine.isEmpty() || mine.getFirst().length() == 0) {
      return;
    }
    if (fits(mine.size())) {
      eitherOf(mine, (b, prefix) -> b.address(side, prefix, false));
    } else {
      RuleList.Prefixes list = new RuleList.Prefixes(mine);
      int id = list(list);
      eitherOf(
          list.lengths(), (b, length) -> b.prefixInSet(side, Layout.PREFIXES, id, length, false));
    }
  }

  private void notNets(List<Prefix> nets, Side side) {
    List<Prefix> mine = MaximalPrefixes.of(nets, family);
    if (mine.size() <= MAX_ALTERNATIVES) {
      for (Prefix prefix : mine) {
        and(b -> b.address(side, prefix, true));
      }
    } else {
      RuleList.Prefixes list = new RuleList.Prefixes(mine);
      int id = list(list);
      for (int length : list.lengths()) {
        and(b -> b.prefixInSet(side, Layout.PREFIXES, id, length, true));
      }
    }
  }

  private void ports(PeerMatch peer, Side side) {
    List<Consumer<NftRuleBuilder>> places = new ArrayList<>();
    List<PortRange> ranges = RuleList.Ports.of(peer.ports()).ranges();
    if (fits(ranges.size() + peer.namedPorts().size())) {
      for (PortRange range : ranges) {
        places.add(b -> b.port(side, range.first(), range.last(), false));
      }
    } else if (!ranges.isEmpty()) {
      int id = list(new RuleList.Ports(ranges));
      places.add(b -> b.portRangeInSet(side, Layout.PORT_RANGES, id, false));
    }
    for (SetId set : peer.namedPorts()) {
      int id = shapes.id(set);
      places.add(b -> b.portInSet(side, Layout.PORTS, id, false));
    }
    either(places);
  }

  private void notPorts(PeerMatch peer, Side side) {
    List<PortRange> ranges = RuleList.Ports.of(peer.notPorts()).ranges();
    if (ranges.size() <= MAX_ALTERNATIVES) {
      for (PortRange range : ranges) {
        and(b -> b.port(side, range.first(), range.last(), true));
      }
    } else {
      int id = list(new RuleList.Ports(ranges));
      and(b -> b.portRangeInSet(side, Layout.PORT_RANGES, id, true));
    }
    for (SetId set : peer.notNamedPorts()) {
      int id = shapes.id(set);
      and(b -> b.portInSet(side, Layout.PORTS, id, true));
    }
  }

  private boolean fits(int choices) {
    if (choices > budget) {
      return false;
    }
    budget /= Math.max(1, choices);
    return true;
  }

  private int list(RuleList list) {
    lists.add(list);
    return shapes.id(list);
  }

  private void and(Consumer<NftRuleBuilder> match) {
    alternatives.forEach(match);
  }

  private <T> void eitherOf(List<T> values, BiConsumer<NftRuleBuilder, T> match) {
    List<Consumer<NftRuleBuilder>> choices = new ArrayList<>();
    for (T value : values) {
      choices.add(b -> match.accept(b, value));
    }
    either(choices);
  }

  /// No choices, no constraint.
  private void either(List<Consumer<NftRuleBuilder>> choices) {
    if (choices.isEmpty()) {
      return;
    }
    List<NftRuleBuilder> product = new ArrayList<>();
    for (NftRuleBuilder alternative : alternatives) {
      for (Consumer<NftRuleBuilder> choice : choices) {
        NftRuleBuilder copy = alternative.fork();
        choice.accept(copy);
        product.add(copy);
      }
    }
    alternatives = product;
  }

  private List<NftRule> finish(RuleAction action, RuleOrigin origin, NftVerdict pass) {
    List<NftRule> rules = new ArrayList<>();
    for (NftRuleBuilder alternative : alternatives) {
      switch (manner) {
        case STAGED -> {
          count(alternative, action);
          rules.add(alternative.build(origin.id()));
        }
        case ENFORCED, UNTRACKED -> rules.addAll(act(alternative, action, origin, pass));
        case UNTRACKED_AGAIN, PRE_DNAT_AGAIN -> {
          alternative.verdict(verdict(action, pass));
          rules.add(alternative.build(origin.id()));
        }
      }
    }
    return rules;
  }

  private List<NftRule> act(
      NftRuleBuilder matches, RuleAction action, RuleOrigin origin, NftVerdict pass) {
    if (action == RuleAction.LOG) {
      logger.log(matches, origin);
      return List.of(matches.build(origin.id()));
    }
    return logger.decide(
        matches,
        action,
        origin,
        rule -> {
          rule.counter();
          if (action == RuleAction.ALLOW && manner == Manner.UNTRACKED) {
            rule.notrack();
          }
          rule.verdict(verdict(action, pass));
        });
  }

  private static NftVerdict verdict(RuleAction action, NftVerdict pass) {
    return switch (action) {
      case ALLOW -> NftVerdict.ACCEPT;
      case DENY -> NftVerdict.DROP;
      case PASS -> pass;
      case LOG -> throw new IllegalArgumentException("a rule that logs decides nothing");
    };
  }

  /// The first match is the one that would have decided.
  private static void count(NftRuleBuilder rule, RuleAction action) {
    rule.counter();
    switch (action) {
      case ALLOW, DENY, PASS -> rule.verdict(NftVerdict.RETURN);
      case LOG -> {}
    }
  }
}
