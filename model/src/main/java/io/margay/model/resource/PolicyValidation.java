package io.margay.model.resource;

import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.model.selector.Selector;
import io.margay.model.selector.SelectorNode;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// What Calico demands of policies and their rules.
final class PolicyValidation {

  /// Rules in one direction of one policy.
  static final int MAX_RULES = 1024;

  /// Prefixes in one `nets` or `notNets`.
  static final int MAX_NETS = 256;

  /// Entries in one `ports` or `notPorts`.
  static final int MAX_PORTS = 50;

  /// Entries in one `methods` or `paths`.
  static final int MAX_HTTP_MATCHES = 20;

  /// Characters of the longest path of an HTTP match.
  static final int MAX_HTTP_PATH = 1024;

  private static final Set<String> PERFORMANCE_HINTS = Set.of("AssumeNeededOnEveryNode");
  private static final int MAX_ICMP_TYPE = 254;
  private static final int MAX_ICMP_CODE = 255;
  private static final String GLOBAL_ONLY = "only a GlobalNetworkPolicy has this";

  private PolicyValidation() {}

  static void staged(StagedPolicySpec spec, boolean global, FieldErrors errors) {
    if (spec.effectiveStagedAction() != StagedAction.DELETE) {
      policy(spec.policy(), global, errors);
      return;
    }
    PolicySpec rest = spec.policy().withTier(null);
    errors.unless(
        rest.equals(PolicySpec.EMPTY.withUnknown(rest.unknown())),
        "spec",
        "has nothing but stagedAction and tier when stagedAction is Delete");
  }

  static void policy(PolicySpec spec, boolean global, FieldErrors errors) {
    if (spec.tier() != null) {
      NameRules.label(spec.tier(), "tier", "spec.tier", errors);
    }
    order(spec.order(), errors);
    selector(spec.selector(), "spec.selector", errors);
    selector(spec.namespaceSelector(), "spec.namespaceSelector", errors);
    selector(spec.serviceAccountSelector(), "spec.serviceAccountSelector", errors);
    errors.unless(
        spec.types().stream().distinct().count() == spec.types().size(),
        "spec.types",
        "names a direction twice");
    errors.eachOneOf(spec.performanceHints(), PERFORMANCE_HINTS, "spec.performanceHints");
    if (global) {
      hostOptions(spec, errors);
    } else {
      errors.unless(spec.namespaceSelector() == null, "spec.namespaceSelector", GLOBAL_ONLY);
      errors.unless(spec.doNotTrack() == null, "spec.doNotTrack", GLOBAL_ONLY);
      errors.unless(spec.preDNAT() == null, "spec.preDNAT", GLOBAL_ONLY);
      errors.unless(spec.applyOnForward() == null, "spec.applyOnForward", GLOBAL_ONLY);
    }
    rules(spec.ingress(), spec.egress(), global, errors);
  }

  static void order(@Nullable Double order, FieldErrors errors) {
    errors.unless(order == null || Double.isFinite(order), "spec.order", "is not a finite number");
  }

  private static void hostOptions(PolicySpec spec, FieldErrors errors) {
    if (spec.isDoNotTrack() && spec.isPreDnat()) {
      errors.add("spec.preDNAT", "can't be true together with doNotTrack");
    }
    if ((spec.isDoNotTrack() || spec.isPreDnat()) && !spec.isApplyOnForward()) {
      errors.add("spec.applyOnForward", "must be true with doNotTrack or preDNAT");
    }
    if (spec.isPreDnat()) {
      errors.unless(spec.egress().isEmpty(), "spec.egress", "preDNAT has ingress rules only");
      errors.unless(
          !spec.types().contains(PolicyType.EGRESS), "spec.types", "preDNAT is for Ingress only");
    }
  }

  /// @param global whether a service must say its namespace, there being no other
  static void rules(List<Rule> ingress, List<Rule> egress, boolean global, FieldErrors errors) {
    errors.atMost(ingress, MAX_RULES, "spec.ingress");
    errors.atMost(egress, MAX_RULES, "spec.egress");
    for (int i = 0; i < ingress.size(); i++) {
      rule(ingress.get(i), PolicyType.INGRESS, global, "spec.ingress[" + i + "]", errors);
    }
    for (int i = 0; i < egress.size(); i++) {
      rule(egress.get(i), PolicyType.EGRESS, global, "spec.egress[" + i + "]", errors);
    }
  }

  private static void rule(
      Rule rule, PolicyType direction, boolean global, String path, FieldErrors errors) {
    Integer version = rule.ipVersion();
    if (version != null && version != 4 && version != 6) {
      errors.add(path + ".ipVersion", version + " is neither 4 nor 6");
    }
    icmp(rule, rule.icmp(), path + ".icmp", errors);
    icmp(rule, rule.notICMP(), path + ".notICMP", errors);
    if (version != null) {
      family(rule.protocol(), version, path + ".protocol", errors);
      family(rule.notProtocol(), version, path + ".notProtocol", errors);
    }
    http(rule, direction, path, errors);
    nets(rule, path, errors);
    entity(rule, rule.source(), path + ".source", errors);
    entity(rule, rule.destination(), path + ".destination", errors);
    services(
        rule.source(), direction == PolicyType.INGRESS, true, global, path + ".source", errors);
    services(
        rule.destination(),
        direction == PolicyType.EGRESS,
        false,
        global,
        path + ".destination",
        errors);
    if (rule.metadata() != null) {
      NameRules.annotations(rule.metadata().annotations(), path + ".metadata.annotations", errors);
    }
  }

  private static void family(
      @Nullable Protocol protocol, int version, String path, FieldErrors errors) {
    if (protocol != null
        && (version == 4 && protocol.number() == 58 || version == 6 && protocol.number() == 1)) {
      errors.add(path, protocol + " does not exist in IPv" + version);
    }
  }

  private static void icmp(Rule rule, @Nullable IcmpFields icmp, String path, FieldErrors errors) {
    if (icmp == null) {
      return;
    }
    errors.unless(
        rule.protocol() != null && rule.protocol().isIcmp(), path, "needs protocol ICMP or ICMPv6");
    errors.range(icmp.type(), 0, MAX_ICMP_TYPE, path + ".type");
    errors.range(icmp.code(), 0, MAX_ICMP_CODE, path + ".code");
    errors.unless(icmp.code() == null || icmp.type() != null, path + ".code", "needs a type");
  }

  private static void http(Rule rule, PolicyType direction, String path, FieldErrors errors) {
    HttpMatch http = rule.http();
    if (http == null) {
      return;
    }
    errors.unless(
        direction == PolicyType.INGRESS && rule.action() == Action.ALLOW,
        path + ".http",
        "is for ingress rules with action Allow only");
    errors.unless(
        rule.protocol() == null || rule.protocol().number() == 6,
        path + ".protocol",
        "must be TCP in a rule with http");
    errors.atMost(http.methods(), MAX_HTTP_MATCHES, path + ".http.methods");
    errors.distinct(http.methods(), path + ".http.methods");
    errors.atMost(http.paths(), MAX_HTTP_MATCHES, path + ".http.paths");
    for (int i = 0; i < http.paths().size(); i++) {
      httpPath(http.paths().get(i), path + ".http.paths[" + i + "]", errors);
    }
  }

  private static void httpPath(HttpPath match, String path, FieldErrors errors) {
    String exact = match.exact() == null ? "" : match.exact();
    String prefix = match.prefix() == null ? "" : match.prefix();
    if (exact.isEmpty() == prefix.isEmpty()) {
      errors.add(path, "needs either exact or prefix");
      return;
    }
    String text = exact + prefix;
    // RFC 3986 §3.3: a path ends at the first "?" or "#".
    errors.unless(
        text.startsWith("/")
            && text.length() <= MAX_HTTP_PATH
            && text.chars().noneMatch(c -> c == '?' || c == ' ' || c == '#'),
        path,
        "\""
            + text
            + "\" is not a path: \"/\" and at most "
            + MAX_HTTP_PATH
            + " characters, no \"?\", \"#\" or blank");
  }

  private static void entity(Rule rule, EntityRule entity, String path, FieldErrors errors) {
    errors.atMost(entity.nets(), MAX_NETS, path + ".nets");
    errors.atMost(entity.notNets(), MAX_NETS, path + ".notNets");
    errors.atMost(entity.ports(), MAX_PORTS, path + ".ports");
    errors.atMost(entity.notPorts(), MAX_PORTS, path + ".notPorts");
    ports(entity.ports(), path + ".ports", errors);
    ports(entity.notPorts(), path + ".notPorts", errors);
    boolean hasPorts = rule.protocol() != null && rule.protocol().hasPorts();
    String needsProtocol = "needs protocol TCP, UDP, SCTP or UDPLite in the rule";
    errors.unless(entity.ports().isEmpty() || hasPorts, path + ".ports", needsProtocol);
    errors.unless(entity.notPorts().isEmpty() || hasPorts, path + ".notPorts", needsProtocol);
    selector(entity.selector(), path + ".selector", errors);
    selector(entity.notSelector(), path + ".notSelector", errors);
    namespaceSelector(entity.namespaceSelector(), path + ".namespaceSelector", errors);
    ServiceAccountMatch accounts = entity.serviceAccounts();
    if (accounts != null) {
      selector(accounts.selector(), path + ".serviceAccounts.selector", errors);
    }
  }

  private static void ports(List<Port> ports, String path, FieldErrors errors) {
    for (int i = 0; i < ports.size(); i++) {
      int first =
          switch (ports.get(i)) {
            case Port.Single(int port) -> port;
            case Port.Range range -> range.first();
            case Port.Named _ -> 1;
          };
      errors.unless(first > 0, path + "[" + i + "]", "port 0 is not in 1..65535");
    }
  }

  /// A packet has one family, so a rule has one too.
  private static void nets(Rule rule, String path, FieldErrors errors) {
    Set<IpFamily> seen = EnumSet.noneOf(IpFamily.class);
    nets(rule, rule.source().nets(), seen, path + ".source.nets", errors);
    nets(rule, rule.source().notNets(), seen, path + ".source.notNets", errors);
    nets(rule, rule.destination().nets(), seen, path + ".destination.nets", errors);
    nets(rule, rule.destination().notNets(), seen, path + ".destination.notNets", errors);
  }

  private static void nets(
      Rule rule, List<Prefix> nets, Set<IpFamily> seen, String path, FieldErrors errors) {
    boolean mixedBefore = seen.size() > 1;
    Integer version = rule.ipVersion();
    boolean other = false;
    for (Prefix net : nets) {
      seen.add(net.family());
      other |=
          version != null && (version == 4 || version == 6) && net.family().version() != version;
    }
    if (seen.size() > 1 && !mixedBefore) {
      errors.add(path, "mixes IPv4 and IPv6; write one rule for each");
    }
    if (other) {
      errors.add(path, "holds prefixes of the other family than ipVersion " + version);
    }
  }

  private static void services(
      EntityRule entity,
      boolean isPeer,
      boolean takesPorts,
      boolean global,
      String path,
      FieldErrors errors) {
    ServiceMatch services = entity.services();
    if (services == null) {
      return;
    }
    errors.present(services.name(), path + ".services.name");
    errors.unless(
        isPeer, path + ".services", "is for the source of ingress and the destination of egress");
    errors.unless(
        !global || services.namespace() != null && !services.namespace().isEmpty(),
        path + ".services.namespace",
        "is required in a GlobalNetworkPolicy");
    errors.unless(
        isAbsent(entity.selector())
            && isAbsent(entity.notSelector())
            && isAbsent(entity.namespaceSelector())
            && entity.serviceAccounts() == null
            && entity.nets().isEmpty()
            && entity.notNets().isEmpty(),
        path + ".services",
        "can't be combined with other fields of " + path);
    // A destination's ports are the service's own; a source's are the client's.
    errors.unless(
        takesPorts || entity.ports().isEmpty() && entity.notPorts().isEmpty(),
        path + ".ports",
        "can't be combined with services, which have their own");
  }

  private static boolean isAbsent(@Nullable Selector selector) {
    return selector == null || selector.text().isBlank();
  }

  static void selector(@Nullable Selector selector, String path, FieldErrors errors) {
    if (selector != null && selector.usesGlobal()) {
      errors.add(path, "global() is for the namespaceSelector of a rule only");
    }
  }

  private static void namespaceSelector(
      @Nullable Selector selector, String path, FieldErrors errors) {
    if (selector != null
        && selector.usesGlobal()
        && !(selector.root() instanceof SelectorNode.Global)) {
      errors.add(path, "global() can't be combined with anything else");
    }
  }
}
