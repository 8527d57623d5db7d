package io.margay.policy;

import io.margay.model.selector.Selector;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Turns the selectors and named ports of active rules into sets, each there as long as some rule
/// needs it. What the sets contain is left to the [IpSetMemberIndex].
final class RuleScanner implements ActiveRulesCalculator.RulesListener {

  /// Hears which sets rules refer to.
  interface SetListener {
    void onSetActive(SetDefinition definition);

    void onSetInactive(SetId id);
  }

  /// Hears the rules in the form the dataplane gets them.
  interface ComputedRulesListener {
    void onRules(RulesKey key, RuleSet rules);

    void onRulesRemoved(RulesKey key);
  }

  private final SetListener setListener;
  private final ComputedRulesListener rulesListener;
  private final Map<RulesKey, Set<SetId>> setsByRules = new HashMap<>();
  private final Map<SetId, Integer> useCounts = new HashMap<>();

  RuleScanner(SetListener setListener, ComputedRulesListener rulesListener) {
    this.setListener = setListener;
    this.rulesListener = rulesListener;
  }

  @Override
  public void onRulesActive(RulesKey key, List<SelectorRule> ingress, List<SelectorRule> egress) {
    Map<SetId, SetDefinition> needed = new LinkedHashMap<>();
    RuleSet rules = new RuleSet(computeAll(ingress, needed), computeAll(egress, needed));
    needed.values().forEach(this::acquire);
    Set<SetId> before = setsByRules.put(key, Set.copyOf(needed.keySet()));
    rulesListener.onRules(key, rules);
    release(before);
  }

  @Override
  public void onRulesInactive(RulesKey key) {
    rulesListener.onRulesRemoved(key);
    release(setsByRules.remove(key));
  }

  private void acquire(SetDefinition definition) {
    if (useCounts.merge(definition.id(), 1, Integer::sum) == 1) {
      setListener.onSetActive(definition);
    }
  }

  private void release(@Nullable Set<SetId> ids) {
    if (ids == null) {
      return;
    }
    for (SetId id : ids) {
      Integer left = useCounts.computeIfPresent(id, (key, count) -> count == 1 ? null : count - 1);
      if (left == null) {
        setListener.onSetInactive(id);
      }
    }
  }

  private static List<ComputedRule> computeAll(
      List<SelectorRule> rules, Map<SetId, SetDefinition> needed) {
    List<ComputedRule> computed = new ArrayList<>(rules.size());
    for (SelectorRule rule : rules) {
      computed.add(
          new ComputedRule(
              rule.index(),
              rule.action(),
              rule.ipVersion(),
              rule.protocol(),
              rule.notProtocol(),
              rule.icmp(),
              rule.notIcmp(),
              ofService(
                  rule.source(), false, needed, compute(rule.source(), rule.protocol(), needed)),
              ofService(
                  rule.destination(),
                  true,
                  needed,
                  compute(rule.destination(), rule.protocol(), needed))));
    }
    return computed;
  }

  private static PeerMatch compute(
      SelectorRule.Peer peer, @Nullable Integer protocol, Map<SetId, SetDefinition> needed) {
    Selector selector = peer.selector();
    Selector notSelector = peer.notSelector();
    // Named ports are looked up among what the positive selector matches, also when negated: the
    // rule can't match anything else. With named ports alone their sets imply the selector's.
    boolean impliedByPorts = !peer.namedPorts().isEmpty() && peer.ports().isEmpty();
    return new PeerMatch(
        peer.nets(),
        peer.notNets(),
        selector == null || impliedByPorts
            ? List.of()
            : List.of(use(SetDefinition.nets(selector), needed)),
        notSelector == null ? List.of() : List.of(use(SetDefinition.nets(notSelector), needed)),
        peer.ports(),
        namedPorts(peer.namedPorts(), selector, protocol, needed),
        peer.notPorts(),
        namedPorts(peer.notNamedPorts(), selector, protocol, needed));
  }

  /// The match with a service's endpoints in it: a destination is one at its ports.
  private static PeerMatch ofService(
      SelectorRule.Peer peer,
      boolean isDestination,
      Map<SetId, SetDefinition> needed,
      PeerMatch rest) {
    ServiceKey service = peer.service();
    if (service == null) {
      return rest;
    }
    List<SetId> set = List.of(use(SetDefinition.service(service, isDestination), needed));
    return new PeerMatch(
        rest.nets(),
        rest.notNets(),
        isDestination ? rest.sets() : set,
        rest.notSets(),
        rest.ports(),
        isDestination ? set : rest.namedPorts(),
        rest.notPorts(),
        rest.notNamedPorts());
  }

  private static List<SetId> namedPorts(
      List<String> names,
      @Nullable Selector selector,
      @Nullable Integer protocol,
      Map<SetId, SetDefinition> needed) {
    if (names.isEmpty()) {
      return List.of();
    }
    if (protocol == null) {
      throw new IllegalArgumentException("named ports " + names + " without a protocol");
    }
    Selector among = selector == null ? Selector.ALL : selector;
    List<SetId> ids = new ArrayList<>(names.size());
    for (String name : names) {
      ids.add(use(SetDefinition.namedPort(among, protocol, name), needed));
    }
    return ids;
  }

  private static SetId use(SetDefinition definition, Map<SetId, SetDefinition> needed) {
    needed.putIfAbsent(definition.id(), definition);
    return definition.id();
  }
}
