package io.margay.policy;

import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.model.resource.Action;
import io.margay.model.resource.EntityRule;
import io.margay.model.resource.IcmpFields;
import io.margay.model.resource.Port;
import io.margay.model.resource.Protocol;
import io.margay.model.resource.Rule;
import io.margay.model.resource.ServiceAccountMatch;
import io.margay.model.resource.ServiceMatch;
import io.margay.model.selector.Selector;
import io.margay.model.selector.SelectorNode;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Compiles the rules of one direction of a policy or profile: effective selectors, address
/// families worked out, rules that can't match left out.
///
/// A match this version can't make must not open anything: an Allow or Log rule with one is left
/// out, a Deny or Pass rule denies what the rest of it matches.
final class RuleCompiler {

  /// A rule that contradicts itself. The message names the rule and the field.
  static final class InvalidRule extends Exception {
    private static final long serialVersionUID = 1L;

    private InvalidRule(String message) {
      super(message, null, false, false);
    }
  }

  private final String namespace;
  private final String direction;
  private final List<String> unsupported;

  /// @param namespace scope of the rules' selectors; empty = none
  /// @param direction `ingress` or `egress`, for messages
  /// @param unsupported receives a line for each match that can't be made
  RuleCompiler(String namespace, String direction, List<String> unsupported) {
    this.namespace = namespace;
    this.direction = direction;
    this.unsupported = unsupported;
  }

  List<SelectorRule> compileAll(List<Rule> rules) throws InvalidRule {
    List<SelectorRule> compiled = new ArrayList<>(rules.size());
    for (int index = 0; index < rules.size(); index++) {
      SelectorRule rule = compile(index, rules.get(index));
      if (rule != null) {
        compiled.add(rule);
      }
    }
    return compiled;
  }

  private @Nullable SelectorRule compile(int index, Rule rule) throws InvalidRule {
    checkPorts(index, rule);
    checkSelectors(index, rule.source());
    checkSelectors(index, rule.destination());
    IcmpMatch icmp = icmp(index, rule, rule.icmp());
    IcmpMatch notIcmp = icmp(index, rule, rule.notICMP());
    RuleAction action = action(index, rule);
    Set<IpFamily> families = families(index, rule);
    if (action == null || families.isEmpty()) {
      return null;
    }
    return new SelectorRule(
        index,
        action,
        families.size() == 1 ? families.iterator().next() : null,
        number(rule.protocol()),
        number(rule.notProtocol()),
        icmp,
        notIcmp,
        peer(rule.source(), families, false),
        peer(rule.destination(), families, true));
  }

  private static @Nullable Integer number(@Nullable Protocol protocol) {
    return protocol == null ? null : protocol.number();
  }

  private void checkPorts(int index, Rule rule) throws InvalidRule {
    boolean hasPorts =
        !rule.source().ports().isEmpty()
            || !rule.source().notPorts().isEmpty()
            || !rule.destination().ports().isEmpty()
            || !rule.destination().notPorts().isEmpty();
    Protocol protocol = rule.protocol();
    if (hasPorts && (protocol == null || !protocol.hasPorts())) {
      throw invalid(index, "ports need protocol TCP, UDP, SCTP or UDPLite");
    }
  }

  private void checkSelectors(int index, EntityRule peer) throws InvalidRule {
    ServiceAccountMatch accounts = peer.serviceAccounts();
    if (usesGlobal(peer.selector())
        || usesGlobal(peer.notSelector())
        || accounts != null && usesGlobal(accounts.selector())) {
      throw invalid(index, "global() has a meaning in a namespaceSelector only");
    }
  }

  private static boolean usesGlobal(@Nullable Selector selector) {
    return selector != null && selector.usesGlobal();
  }

  private @Nullable IcmpMatch icmp(int index, Rule rule, @Nullable IcmpFields fields)
      throws InvalidRule {
    if (fields == null) {
      return null;
    }
    Protocol protocol = rule.protocol();
    if (protocol == null || !protocol.isIcmp()) {
      throw invalid(index, "icmp and notICMP need protocol ICMP or ICMPv6");
    }
    Integer type = fields.type();
    Integer code = fields.code();
    if (type == null) {
      if (code != null) {
        throw invalid(index, "an ICMP code needs a type");
      }
      return null;
    }
    if (type < 0 || type > 254 || code != null && (code < 0 || code > 255)) {
      throw invalid(index, "ICMP type is not in 0..254 or code not in 0..255");
    }
    return new IcmpMatch(type, code);
  }

  /// What the rule does once the matches that can't be made are gone; null = nothing.
  private @Nullable RuleAction action(int index, Rule rule) {
    List<String> beyondUs = new ArrayList<>();
    if (rule.http() != null) {
      beyondUs.add("http");
    }
    collectUnsupported("source", rule.source(), false, beyondUs);
    collectUnsupported("destination", rule.destination(), true, beyondUs);
    collectUnsupported("icmp", rule.icmp(), beyondUs);
    collectUnsupported("notICMP", rule.notICMP(), beyondUs);
    beyondUs.addAll(rule.unknown().keySet());
    RuleAction asWritten =
        switch (rule.action()) {
          case ALLOW -> RuleAction.ALLOW;
          case DENY -> RuleAction.DENY;
          case PASS -> RuleAction.PASS;
          case LOG -> RuleAction.LOG;
        };
    if (beyondUs.isEmpty()) {
      return asWritten;
    }
    boolean opens = rule.action() == Action.ALLOW || rule.action() == Action.LOG;
    unsupported.add(
        where(index)
            + ": "
            + String.join(", ", beyondUs)
            + " can't be matched by this version; the rule "
            + (opens ? "matches nothing" : "denies whatever the rest of it matches"));
    return opens ? null : RuleAction.DENY;
  }

  private void collectUnsupported(
      String end, EntityRule peer, boolean isDestination, List<String> beyondUs) {
    if (peer.services() != null && service(peer, isDestination) == null) {
      beyondUs.add(end + ".services");
    }
    peer.unknown().keySet().forEach(field -> beyondUs.add(end + "." + field));
    ServiceAccountMatch accounts = peer.serviceAccounts();
    if (accounts != null) {
      accounts.unknown().keySet().forEach(f -> beyondUs.add(end + ".serviceAccounts." + f));
    }
  }

  private static void collectUnsupported(
      String field, @Nullable IcmpFields fields, List<String> beyondUs) {
    if (fields != null) {
      fields.unknown().keySet().forEach(unknown -> beyondUs.add(field + "." + unknown));
    }
  }

  /// The address families the rule can match. A list of nets of one family confines the rule to it,
  /// also a negated list; a negated `/0` rules its family out.
  private Set<IpFamily> families(int index, Rule rule) throws InvalidRule {
    Set<IpFamily> families = EnumSet.allOf(IpFamily.class);
    Integer version = rule.ipVersion();
    if (version != null) {
      if (version != 4 && version != 6) {
        throw invalid(index, "ipVersion " + version + " is neither 4 nor 6");
      }
      families.retainAll(Set.of(IpFamily.ofVersion(version)));
    }
    for (EntityRule peer : List.of(rule.source(), rule.destination())) {
      confine(families, peer.nets());
      confine(families, peer.notNets());
      for (Prefix net : peer.notNets()) {
        if (net.length() == 0) {
          families.remove(net.family());
        }
      }
    }
    return families;
  }

  private static void confine(Set<IpFamily> families, List<Prefix> nets) {
    if (!nets.isEmpty()) {
      families.removeIf(family -> nets.stream().noneMatch(net -> net.family() == family));
    }
  }

  /// The service a peer names, if it is one that can be found: it has a name and a namespace, and
  /// nothing stands beside it but a source's ports.
  private @Nullable ServiceKey service(EntityRule peer, boolean isDestination) {
    ServiceMatch match = peer.services();
    if (match == null || !match.unknown().isEmpty() || match.name() == null) {
      return null;
    }
    String scope =
        match.namespace() == null || match.namespace().isEmpty() ? namespace : match.namespace();
    boolean alone =
        peer.nets().isEmpty()
            && peer.notNets().isEmpty()
            && given(peer.selector()) == null
            && given(peer.notSelector()) == null
            && given(peer.namespaceSelector()) == null
            && peer.serviceAccounts() == null
            && (!isDestination || peer.ports().isEmpty() && peer.notPorts().isEmpty());
    return alone && !scope.isEmpty() && !match.name().isEmpty()
        ? new ServiceKey(scope, match.name())
        : null;
  }

  private SelectorRule.Peer peer(EntityRule rule, Set<IpFamily> families, boolean isDestination) {
    return new SelectorRule.Peer(
        constraint(rule.nets(), families),
        maximal(rule.notNets(), families),
        effectiveSelector(rule),
        given(rule.notSelector()),
        numbers(rule.ports()),
        names(rule.ports()),
        numbers(rule.notPorts()),
        names(rule.notPorts()),
        service(rule, isDestination));
  }

  /// The nets that constrain: none when every family the rule is about is wholly included.
  private static List<Prefix> constraint(List<Prefix> nets, Set<IpFamily> families) {
    List<Prefix> maximal = maximal(nets, families);
    boolean all =
        families.stream()
            .allMatch(
                family ->
                    maximal.stream().anyMatch(net -> net.length() == 0 && net.family() == family));
    return all ? List.of() : maximal;
  }

  /// The nets of these families that lie in no other.
  private static List<Prefix> maximal(List<Prefix> nets, Set<IpFamily> families) {
    List<Prefix> maximal = new ArrayList<>();
    // Sorted, an outer net comes before its inner ones.
    for (Prefix net : nets.stream().sorted().toList()) {
      boolean covered = !maximal.isEmpty() && maximal.getLast().contains(net);
      if (!covered && families.contains(net.family())) {
        maximal.add(net);
      }
    }
    return maximal;
  }

  /// Selector, service accounts and namespaces in one.
  ///
  /// In a namespaced policy any of them, and a `notSelector` too, confines the peer to known
  /// objects of the policy's namespace, or of those that `namespaceSelector` names.
  private @Nullable Selector effectiveSelector(EntityRule rule) {
    Selector selected = both(accountSelector(rule.serviceAccounts()), given(rule.selector()));
    Selector namespaces = given(rule.namespaceSelector());
    if (namespaces != null) {
      return both(namespaces.forNamespaces(), selected);
    }
    if (namespace.isEmpty() || selected == null && given(rule.notSelector()) == null) {
      return selected;
    }
    return both(inNamespace(namespace), selected);
  }

  /// Objects of one namespace.
  static Selector inNamespace(String namespace) {
    return Selector.of(new SelectorNode.Equal(Selector.NAMESPACE_LABEL, namespace));
  }

  private static @Nullable Selector accountSelector(@Nullable ServiceAccountMatch accounts) {
    if (accounts == null) {
      return null;
    }
    Selector labelled = given(accounts.selector());
    Selector named =
        accounts.names().isEmpty()
            ? null
            : Selector.of(new SelectorNode.In(Selector.SERVICE_ACCOUNT_LABEL, accounts.names()));
    return both(labelled == null ? null : labelled.forServiceAccounts(), named);
  }

  private static @Nullable Selector both(@Nullable Selector one, @Nullable Selector other) {
    if (one == null || other == null) {
      return one == null ? other : one;
    }
    return one.and(other);
  }

  /// A selector field that is there but empty is as good as absent.
  static @Nullable Selector given(@Nullable Selector selector) {
    return selector == null || selector.text().isEmpty() ? null : selector;
  }

  private static List<PortRange> numbers(List<Port> ports) {
    List<PortRange> ranges = new ArrayList<>();
    for (Port port : ports) {
      switch (port) {
        case Port.Single(int number) -> ranges.add(PortRange.of(number));
        case Port.Range(int first, int last) -> ranges.add(new PortRange(first, last));
        case Port.Named _ -> {}
      }
    }
    return ranges;
  }

  private static List<String> names(List<Port> ports) {
    List<String> names = new ArrayList<>();
    for (Port port : ports) {
      if (port instanceof Port.Named(String name)) {
        names.add(name);
      }
    }
    return names;
  }

  private InvalidRule invalid(int index, String problem) {
    return new InvalidRule(where(index) + ": " + problem);
  }

  private String where(int index) {
    return direction + " rule " + index;
  }
}
