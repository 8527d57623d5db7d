package io.margay.agent.firewall;

import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.policy.ComputedRule;
import io.margay.policy.PeerMatch;
import io.margay.policy.PolicyKey;
import io.margay.policy.PortRange;
import io.margay.policy.SetId;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Rules that allow, one after the other in a tier. Their order does not matter, so those that
/// differ only in whom they let in, and to which ports, become one lookup however many they are.
/// Pure.
final class AllowRun {

  /// Fewer rules alike stay as they are: a union repeats its sets' members, which takes memory.
  static final int MIN_ALIKE = 8;

  private static final int MAX_PORTS = 16;
  private static final Set<Integer> PROTOCOLS_WITH_PORTS = Set.of(6, 17, 132, 136);

  /// What the run becomes.
  sealed interface Item {

    /// A rule as it was.
    record Single(PolicyRule rule) implements Item {}

    /// A policy that decides nothing, in a chain of its own.
    record Staged(PolicyKey policy) implements Item {}

    /// Rules that differ in whom they let in.
    ///
    /// @param rule lets in the union of them
    record Alike(ComputedRule rule, SetUnion union) implements Item {}

    /// Rules that let somebody in to single ports.
    ///
    /// @param ports who is let in where
    record Ports(RuleList.Grants ports, Set<SetUnion> unions) implements Item {}
  }

  private record PortKey(int protocol, int port) implements Comparable<PortKey> {
    @Override
    public int compareTo(PortKey other) {
      return protocol != other.protocol
          ? Integer.compare(protocol, other.protocol)
          : Integer.compare(port, other.port);
    }
  }

  private final Direction direction;
  private final IpFamily family;
  private final SetShapes shapes;

  AllowRun(Direction direction, IpFamily family, SetShapes shapes) {
    this.direction = direction;
    this.family = family;
    this.shapes = shapes;
  }

  List<Item> merge(List<PolicyRule> run) {
    List<Item> items = new ArrayList<>();
    List<PolicyRule> toPorts = new ArrayList<>();
    Map<ComputedRule, List<PolicyRule>> alike = new LinkedHashMap<>();
    for (PolicyRule rule : run) {
      ComputedRule template = template(rule.rule());
      if (template == null) {
        items.add(new Item.Single(rule));
      } else if (isToPortsAlone(template)) {
        toPorts.add(rule);
      } else {
        alike.computeIfAbsent(template, _ -> new ArrayList<>()).add(rule);
      }
    }
    alike.forEach((template, rules) -> addAlike(template, rules, items));
    addToPorts(toPorts, items);
    return items;
  }

  private void addAlike(ComputedRule template, List<PolicyRule> rules, List<Item> items) {
    if (rules.size() < MIN_ALIKE) {
      rules.forEach(rule -> items.add(new Item.Single(rule)));
      return;
    }
    SetUnion union = union(rules);
    items.add(
        new Item.Alike(withPeer(template, peer(List.of(union.id()), peerOf(template))), union));
  }

  private void addToPorts(List<PolicyRule> rules, List<Item> items) {
    if (rules.size() < MIN_ALIKE) {
      rules.forEach(rule -> items.add(new Item.Single(rule)));
      return;
    }
    Map<PortKey, List<PolicyRule>> byPort = new TreeMap<>();
    for (PolicyRule rule : rules) {
      Integer protocol = rule.rule().protocol();
      for (PortRange port : rule.rule().destination().ports()) {
        if (protocol != null) {
          byPort
              .computeIfAbsent(new PortKey(protocol, port.first()), _ -> new ArrayList<>())
              .add(rule);
        }
      }
    }
    List<RuleList.Grant> grants = new ArrayList<>();
    Map<SetId, SetUnion> unions = new LinkedHashMap<>();
    byPort.forEach(
        (port, let) -> {
          SetUnion union = union(let);
          unions.put(union.id(), union);
          grants.add(
              new RuleList.Grant(port.protocol, port.port, union.id(), shapes.id(union.id())));
        });
    items.add(
        new Item.Ports(new RuleList.Grants(List.copyOf(grants)), Set.copyOf(unions.values())));
  }

  private SetUnion union(List<PolicyRule> rules) {
    List<SetId> sets = new ArrayList<>();
    List<Prefix> nets = new ArrayList<>();
    for (PolicyRule rule : rules) {
      sets.addAll(peerOf(rule.rule()).sets());
      nets.addAll(peerOf(rule.rule()).nets());
    }
    SetUnion union = SetUnion.of(sets, nets);
    shapes.define(union);
    return union;
  }

  /// The rule without whom it lets in and without its place; null if it can't be merged: it lets in
  /// everybody, or excludes somebody, or looks into a set too large to repeat.
  private @Nullable ComputedRule template(ComputedRule rule) {
    PeerMatch peer = peerOf(rule);
    boolean oneSet =
        peer.sets().size() == 1 && peer.nets().isEmpty() && !shapes.isLarge(peer.sets().getFirst());
    boolean netsOnly =
        peer.sets().isEmpty()
            && peer.nets().stream().anyMatch(net -> net.family() == family)
            && peer.nets().stream().allMatch(net -> net.length() > 0);
    if (!oneSet && !netsOnly || !peer.notNets().isEmpty() || !peer.notSets().isEmpty()) {
      return null;
    }
    return withPeer(
        new ComputedRule(
            0,
            rule.action(),
            rule.ipVersion(),
            rule.protocol(),
            rule.notProtocol(),
            rule.icmp(),
            rule.notIcmp(),
            rule.source(),
            rule.destination()),
        peer(List.of(), peer));
  }

  /// Nothing is asked of the packet but a protocol with ports and single destination ports.
  private boolean isToPortsAlone(ComputedRule template) {
    List<PortRange> ports = template.destination().ports();
    PeerMatch bare =
        new PeerMatch(
            List.of(), List.of(), List.of(), List.of(), ports, List.of(), List.of(), List.of());
    return template.protocol() != null
        && PROTOCOLS_WITH_PORTS.contains(template.protocol())
        && template.notProtocol() == null
        && template.icmp() == null
        && template.notIcmp() == null
        && (template.ipVersion() == null || template.ipVersion() == family)
        && !ports.isEmpty()
        && ports.size() <= MAX_PORTS
        && ports.stream().allMatch(port -> port.first() == port.last())
        && template.destination().equals(bare)
        && template.source().equals(PeerMatch.ANY);
  }

  private PeerMatch peerOf(ComputedRule rule) {
    return switch (direction) {
      case INGRESS -> rule.source();
      case EGRESS -> rule.destination();
    };
  }

  private ComputedRule withPeer(ComputedRule rule, PeerMatch peer) {
    return new ComputedRule(
        rule.index(),
        rule.action(),
        rule.ipVersion(),
        rule.protocol(),
        rule.notProtocol(),
        rule.icmp(),
        rule.notIcmp(),
        direction == Direction.INGRESS ? peer : rule.source(),
        direction == Direction.EGRESS ? peer : rule.destination());
  }

  /// The peer with other sets and no nets.
  private static PeerMatch peer(List<SetId> sets, PeerMatch rest) {
    return new PeerMatch(
        List.of(),
        rest.notNets(),
        sets,
        rest.notSets(),
        rest.ports(),
        rest.namedPorts(),
        rest.notPorts(),
        rest.notNamedPorts());
  }
}
