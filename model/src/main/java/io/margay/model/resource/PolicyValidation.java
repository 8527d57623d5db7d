package io.margay.model.resource;

import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.model.selector.Selector;
import io.margay.model.selector.SelectorNode;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What Calico demands of policies and their rules.
final class PolicyValidation {

  /// Rules in one direction of one policy.
  static final int MAX_RULES = 1024;

  /// Prefixes in one `nets` or `notNets`.
  static final int MAX_NETS = 256;

  /// Entries in one `ports` or `notPorts`.
  static final int MAX_PORTS = 50;

  private static final int MAX_ICMP_TYPE = 254;
  private static final int MAX_ICMP_CODE = 255;
  private static final String GLOBAL_ONLY = "only a GlobalNetworkPolicy has this";

  private PolicyValidation() {}

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
    if (global) {
      hostOptions(spec, errors);
    } else {
      errors.unless(spec.namespaceSelector() == null, "spec.namespaceSelector", GLOBAL_ONLY);
      errors.unless(spec.doNotTrack() == null, "spec.doNotTrack", GLOBAL_ONLY);
      errors.unless(spec.preDNAT() == null, "spec.preDNAT", GLOBAL_ONLY);
      errors.unless(spec.applyOnForward() == null, "spec.applyOnForward", GLOBAL_ONLY);
    }
    rules(spec.ingress(), spec.egress(), errors);
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

  static void rules(List<Rule> ingress, List<Rule> egress, FieldErrors errors) {
    errors.atMost(ingress, MAX_RULES, "spec.ingress");
    errors.atMost(egress, MAX_RULES, "spec.egress");
    for (int i = 0; i < ingress.size(); i++) {
      rule(ingress.get(i), PolicyType.INGRESS, "spec.ingress[" + i + "]", errors);
    }
    for (int i = 0; i < egress.size(); i++) {
      rule(egress.get(i), PolicyType.EGRESS, "spec.egress[" + i + "]", errors);
    }
  }

  private static void rule(Rule rule, PolicyType direction, String path, FieldErrors errors) {
    Integer version = rule.ipVersion();
    if (version != null && version != 4 && version != 6) {
      errors.add(path + ".ipVersion", version + " is neither 4 nor 6");
    }
    icmp(rule, rule.icmp(), path + ".icmp", errors);
    icmp(rule, rule.notICMP(), path + ".notICMP", errors);
    if (Integer.valueOf(4).equals(version) && isProtocol(rule, 58)
        || Integer.valueOf(6).equals(version) && isProtocol(rule, 1)) {
      errors.add(path + ".protocol", rule.protocol() + " does not exist in IPv" + version);
    }
    http(rule, direction, path, errors);
    entity(rule, rule.source(), direction == PolicyType.INGRESS, path + ".source", errors);
    entity(rule, rule.destination(), direction == PolicyType.EGRESS, path + ".destination", errors);
  }

  private static boolean isProtocol(Rule rule, int number) {
    return rule.protocol() != null && rule.protocol().number() == number;
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
    for (int i = 0; i < http.paths().size(); i++) {
      Map<String, String> match = http.paths().get(i);
      errors.unless(
          match.size() == 1 && (match.containsKey("exact") || match.containsKey("prefix")),
          path + ".http.paths[" + i + "]",
          "needs either exact or prefix");
    }
  }

  private static void entity(
      Rule rule, EntityRule entity, boolean isPeer, String path, FieldErrors errors) {
    errors.atMost(entity.nets(), MAX_NETS, path + ".nets");
    errors.atMost(entity.notNets(), MAX_NETS, path + ".notNets");
    errors.atMost(entity.ports(), MAX_PORTS, path + ".ports");
    errors.atMost(entity.notPorts(), MAX_PORTS, path + ".notPorts");
    nets(rule, entity.nets(), path + ".nets", errors);
    nets(rule, entity.notNets(), path + ".notNets", errors);
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
    services(entity, isPeer, path, errors);
  }

  private static void nets(Rule rule, List<Prefix> nets, String path, FieldErrors errors) {
    boolean ipv4 = nets.stream().anyMatch(net -> net.family() == IpFamily.IPV4);
    boolean ipv6 = nets.stream().anyMatch(net -> net.family() == IpFamily.IPV6);
    if (ipv4 && ipv6) {
      errors.add(path, "mixes IPv4 and IPv6; write one rule for each");
    }
    Integer version = rule.ipVersion();
    if (version != null && (ipv4 && version == 6 || ipv6 && version == 4)) {
      errors.add(path, "holds prefixes of the other family than ipVersion " + version);
    }
  }

  private static void services(EntityRule entity, boolean isPeer, String path, FieldErrors errors) {
    ServiceMatch services = entity.services();
    if (services == null) {
      return;
    }
    errors.present(services.name(), path + ".services.name");
    errors.unless(
        isPeer, path + ".services", "is for the source of ingress and the destination of egress");
    errors.unless(
        entity.withServices(null).isEmpty(),
        path + ".services",
        "can't be combined with other fields of " + path);
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
