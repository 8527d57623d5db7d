package io.margay.model.k8s;

import io.margay.model.net.Prefix;
import io.margay.model.resource.Port;
import io.margay.model.resource.Protocol;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// What an [AdminPolicy] must be, and what of its API this system can't do. The latter is refused
/// with the whole document: a policy without one of its rules is another policy.
final class AdminPolicyValidator {

  private static final int MAX_PRIORITY = 1000;
  private static final int MAX_RULE_NAME = 100;
  private static final int MAX_NETWORKS = 25;
  private static final String ONLY_BASELINE = "default";

  private final AdminDialect dialect;
  private final Findings findings;

  private AdminPolicyValidator(AdminDialect dialect, Findings findings) {
    this.dialect = dialect;
    this.findings = findings;
  }

  static void validate(AdminPolicy policy, Findings findings) {
    AdminPolicyValidator validator = new AdminPolicyValidator(policy.dialect(), findings);
    findings.clusterWide(policy.metadata(), policy.dialect().kind());
    validator.place(policy);
    validator.subject(policy.spec().subject());
    validator.rules(policy.spec().ingress(), true, "spec.ingress");
    validator.rules(policy.spec().egress(), false, "spec.egress");
  }

  private void place(AdminPolicy policy) {
    AdminPolicySpec spec = policy.spec();
    if ((spec.tier() != null) != (dialect == AdminDialect.CLUSTER)) {
      findings.add(
          "spec.tier",
          dialect == AdminDialect.CLUSTER
              ? "is required: Admin or Baseline"
              : "is not a field of kind " + dialect.kind());
    }
    if (dialect == AdminDialect.BASELINE) {
      findings.unless(
          policy.metadata().name().equals(ONLY_BASELINE),
          "metadata.name",
          "the only BaselineAdminNetworkPolicy is named \"default\"");
      findings.unless(
          spec.priority() == null, "spec.priority", "is not a field of kind " + dialect.kind());
    } else if (spec.priority() == null) {
      findings.add("spec.priority", "is required: 0.." + MAX_PRIORITY);
    } else {
      findings.range(spec.priority(), 0, MAX_PRIORITY, "spec.priority");
    }
  }

  private void subject(AdminPolicySpec.Subject subject) {
    if (exactlyOne("spec.subject", "namespaces or pods", subject.namespaces(), subject.pods())) {
      findings.selector(subject.namespaces(), "spec.subject.namespaces");
      pods(subject.pods(), "spec.subject.pods");
    }
  }

  private void pods(@Nullable NamespacedPods pods, String path) {
    if (pods != null) {
      findings.unless(pods.podSelector() != null, path + ".podSelector", "is required; {} = all");
      findings.selector(pods.namespaceSelector(), path + ".namespaceSelector");
      findings.selector(pods.podSelector(), path + ".podSelector");
    }
  }

  private void rules(List<AdminRule> rules, boolean ingress, String path) {
    atMost(rules, dialect.maxItems(), path);
    for (int i = 0; i < rules.size(); i++) {
      rule(rules.get(i), ingress, path + "[" + i + "]");
    }
  }

  private void rule(AdminRule rule, boolean ingress, String path) {
    findings.unless(
        rule.name() == null || rule.name().length() <= MAX_RULE_NAME,
        path + ".name",
        "is longer than " + MAX_RULE_NAME + " characters");
    findings.unless(
        dialect.action(rule.action()).isPresent(),
        path + ".action",
        "\"" + rule.action() + "\" is not one of " + dialect.actions());
    findings.unless(
        (ingress ? rule.to() : rule.from()) == null,
        path + (ingress ? ".to" : ".from"),
        "is not a field of an " + (ingress ? "ingress" : "egress") + " rule");
    ports(rule, path);
    List<AdminRule.Peer> peers = ingress ? rule.from() : rule.to();
    String peersPath = path + (ingress ? ".from" : ".to");
    if (peers == null || peers.isEmpty()) {
      findings.add(peersPath, "is required, with at least one peer");
      return;
    }
    atMost(peers, dialect.maxItems(), peersPath);
    for (int i = 0; i < peers.size(); i++) {
      peer(rule, peers.get(i), ingress, peersPath + "[" + i + "]");
    }
  }

  private void peer(AdminRule rule, AdminRule.Peer peer, boolean ingress, String path) {
    String choice = "namespaces" + (ingress ? " or pods" : ", pods or networks");
    if (!exactlyOne(
        path,
        choice,
        peer.namespaces(),
        peer.pods(),
        peer.networks(),
        peer.nodes(),
        peer.domainNames())) {
      return;
    }
    if (peer.nodes() != null) {
      findings.add(path + ".nodes", unsupported(ingress, "node addresses are not a selector here"));
    }
    if (peer.domainNames() != null) {
      findings.add(path + ".domainNames", unsupported(ingress, "names are not resolved here"));
    }
    findings.selector(peer.namespaces(), path + ".namespaces");
    pods(peer.pods(), path + ".pods");
    if (peer.networks() != null && ingress) {
      findings.add(path + ".networks", "is for egress rules only");
    } else if (peer.networks() != null) {
      networks(peer.networks(), path + ".networks");
      findings.unless(
          !usesNamedPort(rule),
          path + ".networks",
          "can't be combined with a named port: networks have no names for ports");
    }
  }

  private static String unsupported(boolean ingress, String why) {
    return ingress
        ? "is for egress rules only"
        : "is not supported (" + why + "); write networks with the addresses";
  }

  private static boolean usesNamedPort(AdminRule rule) {
    return rule.protocols() != null
            && rule.protocols().stream().anyMatch(match -> match.destinationNamedPort() != null)
        || rule.ports() != null
            && rule.ports().stream().anyMatch(match -> match.namedPort() != null);
  }

  private void networks(List<String> networks, String path) {
    findings.unless(!networks.isEmpty(), path, "needs at least one CIDR");
    atMost(networks, MAX_NETWORKS, path);
    for (int i = 0; i < networks.size(); i++) {
      try {
        Prefix.parse(networks.get(i));
      } catch (IllegalArgumentException wrong) {
        findings.add(path + "[" + i + "]", String.valueOf(wrong.getMessage()));
      }
    }
  }

  private void ports(AdminRule rule, String path) {
    boolean cluster = dialect == AdminDialect.CLUSTER;
    findings.unless(
        (cluster ? rule.ports() : rule.protocols()) == null,
        path + (cluster ? ".ports" : ".protocols"),
        "is not a field of kind " + dialect.kind());
    List<?> given = cluster ? rule.protocols() : rule.ports();
    if (given == null) {
      return;
    }
    String listPath = path + (cluster ? ".protocols" : ".ports");
    findings.unless(!given.isEmpty(), listPath, "is empty; leave it out to match everything");
    atMost(given, dialect.maxItems(), listPath);
    for (int i = 0; i < given.size(); i++) {
      switch (given.get(i)) {
        case AdminRule.ProtocolMatch match -> protocol(match, listPath + "[" + i + "]");
        case AdminRule.PortMatch match -> port(match, listPath + "[" + i + "]");
        default -> throw new IllegalStateException("a rule's ports are of these two types");
      }
    }
  }

  private void protocol(AdminRule.ProtocolMatch match, String path) {
    if (!exactlyOne(
        path,
        "tcp, udp, sctp or destinationNamedPort",
        match.tcp(),
        match.udp(),
        match.sctp(),
        match.destinationNamedPort())) {
      return;
    }
    destination(match.tcp(), path + ".tcp");
    destination(match.udp(), path + ".udp");
    destination(match.sctp(), path + ".sctp");
    if (match.destinationNamedPort() != null) {
      findings.portName(match.destinationNamedPort(), path + ".destinationNamedPort");
    }
  }

  private void destination(AdminRule.@Nullable Destination destination, String path) {
    if (destination == null) {
      return;
    }
    AdminRule.NumberOrRange port = destination.destinationPort();
    if (port == null) {
      findings.add(path + ".destinationPort", "is required; every port is the range 1 to 65535");
    } else if (exactlyOne(
        path + ".destinationPort", "number or range", port.number(), port.range())) {
      if (port.range() == null) {
        number(port.number(), path + ".destinationPort.number");
      } else {
        range(port.range().start(), port.range().end(), path + ".destinationPort.range");
      }
    }
  }

  private void port(AdminRule.PortMatch match, String path) {
    if (!exactlyOne(
        path,
        "portNumber, portRange or namedPort",
        match.portNumber(),
        match.portRange(),
        match.namedPort())) {
      return;
    }
    if (match.portNumber() != null) {
      transport(match.portNumber().protocol(), path + ".portNumber.protocol");
      number(match.portNumber().port(), path + ".portNumber.port");
    } else if (match.portRange() != null) {
      transport(match.portRange().protocol(), path + ".portRange.protocol");
      range(match.portRange().start(), match.portRange().end(), path + ".portRange");
    } else if (match.namedPort() != null) {
      findings.portName(match.namedPort(), path + ".namedPort");
    }
  }

  private void transport(@Nullable Protocol protocol, String path) {
    findings.unless(
        protocol == null || Transports.isOne(protocol),
        path,
        protocol + " is not TCP, UDP or SCTP");
  }

  private void number(@Nullable Integer number, String path) {
    if (number == null) {
      findings.add(path, "is required");
    } else {
      findings.range(number, 1, Port.MAX, path);
    }
  }

  private void range(@Nullable Integer start, @Nullable Integer end, String path) {
    number(start, path + ".start");
    number(end, path + ".end");
    findings.unless(
        start == null || end == null || start < end,
        path + ".end",
        end + " is not above start, which is " + start);
  }

  private void atMost(List<?> list, int most, String path) {
    findings.unless(
        list.size() <= most, path, "has " + list.size() + " entries; at most " + most + " allowed");
  }

  private boolean exactlyOne(String path, String choice, @Nullable Object... fields) {
    long given = Stream.of(fields).filter(Objects::nonNull).count();
    findings.unless(given == 1, path, "needs exactly one of " + choice);
    return given == 1;
  }
}
