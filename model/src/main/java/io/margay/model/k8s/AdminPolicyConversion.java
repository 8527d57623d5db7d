package io.margay.model.k8s;

import io.margay.model.net.IpFamily;
import io.margay.model.net.Prefix;
import io.margay.model.resource.Action;
import io.margay.model.resource.EntityRule;
import io.margay.model.resource.GlobalNetworkPolicy;
import io.margay.model.resource.Metadata;
import io.margay.model.resource.PolicySpec;
import io.margay.model.resource.PolicyType;
import io.margay.model.resource.Port;
import io.margay.model.resource.Protocol;
import io.margay.model.resource.Rule;
import io.margay.model.resource.RuleMetadata;
import io.margay.model.resource.TierSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Policies of the cluster's administrator as global policies in tiers `kube-admin` and
/// `kube-baseline`, which pass on what no rule decides.
final class AdminPolicyConversion {

  /// The one baseline policy comes after every ClusterNetworkPolicy of the baseline: its priority
  /// is the lowest these have.
  static final double BASELINE_ORDER = 1000;

  /// The rule annotation that carries a rule's name.
  static final String RULE_NAME = "name";

  private AdminPolicyConversion() {}

  static Conversion globalPolicy(AdminPolicy policy) {
    AdminPolicySpec spec = policy.spec();
    AdminDialect dialect = policy.dialect();
    boolean baseline =
        switch (dialect) {
          case CLUSTER -> spec.tier() == AdminPolicySpec.Tier.BASELINE;
          case ADMIN -> false;
          case BASELINE -> true;
        };
    List<List<Rule>> ingress = rules(dialect, spec.ingress(), PolicyType.INGRESS);
    List<List<Rule>> egress = rules(dialect, spec.egress(), PolicyType.EGRESS);
    // A direction without rules is left alone: the policy is not for it.
    List<PolicyType> types = new ArrayList<>();
    if (!ingress.isEmpty()) {
      types.add(PolicyType.INGRESS);
    }
    if (!egress.isEmpty()) {
      types.add(PolicyType.EGRESS);
    }
    EntityRule subject = pods(spec.subject().namespaces(), spec.subject().pods());
    return new Conversion(
        new GlobalNetworkPolicy(
            Metadata.named(prefix(dialect, baseline) + policy.metadata().name()),
            PolicySpec.EMPTY
                .withTier(baseline ? TierSpec.KUBE_BASELINE_TIER : TierSpec.KUBE_ADMIN_TIER)
                .withOrder(spec.priority() == null ? BASELINE_ORDER : spec.priority())
                .withSelector(subject.selector())
                .withNamespaceSelector(subject.namespaceSelector())
                .withTypes(types)
                .withIngress(Conversion.joined(ingress))
                .withEgress(Conversion.joined(egress))),
        Conversion.origins(ingress),
        Conversion.origins(egress));
  }

  /// Names as Calico gives them, so that the kinds do not get in each other's way.
  private static String prefix(AdminDialect dialect, boolean baseline) {
    return switch (dialect) {
      case CLUSTER ->
          baseline
              ? KubernetesConversion.CLUSTER_BASELINE_NAME_PREFIX
              : KubernetesConversion.CLUSTER_ADMIN_NAME_PREFIX;
      case ADMIN -> KubernetesConversion.ADMIN_NAME_PREFIX;
      case BASELINE -> KubernetesConversion.BASELINE_NAME_PREFIX;
    };
  }

  private static List<List<Rule>> rules(
      AdminDialect dialect, List<AdminRule> rules, PolicyType direction) {
    return rules.stream().map(rule -> rules(dialect, rule, direction)).toList();
  }

  private static List<Rule> rules(AdminDialect dialect, AdminRule rule, PolicyType direction) {
    Rule base =
        Rule.of(dialect.action(rule.action()).orElseThrow())
            .withMetadata(
                rule.name() == null || rule.name().isEmpty()
                    ? null
                    : new RuleMetadata(Map.of(RULE_NAME, rule.name()), Map.of()));
    List<AdminRule.Peer> named =
        Given.list(direction == PolicyType.INGRESS ? rule.from() : rule.to());
    if (named.stream().anyMatch(AdminRule.Peer::isUnknown)) {
      return closed(base);
    }
    List<EntityRule> peers = named.stream().flatMap(peer -> entities(peer).stream()).toList();
    List<Rule> converted = new ArrayList<>();
    for (ProtocolPorts.Match match : ports(rule).matches()) {
      Rule matching = base.withProtocol(match.protocol());
      for (EntityRule peer : peers) {
        converted.add(
            switch (direction) {
              case INGRESS ->
                  matching
                      .withSource(peer)
                      .withDestination(EntityRule.EMPTY.withPorts(match.ports()));
              case EGRESS -> matching.withDestination(peer.withPorts(match.ports()));
            });
      }
    }
    return converted;
  }

  /// A rule with a peer nobody here knows: its API says that it matches nothing if it accepts, and
  /// denies everything if it doesn't.
  private static List<Rule> closed(Rule rule) {
    return switch (rule.action()) {
      case ALLOW, LOG -> List.of();
      case DENY, PASS -> List.of(Rule.of(Action.DENY).withMetadata(rule.metadata()));
    };
  }

  private static List<EntityRule> entities(AdminRule.Peer peer) {
    if (peer.networks() == null) {
      return List.of(pods(peer.namespaces(), peer.pods()));
    }
    List<Prefix> networks = peer.networks().stream().map(Prefix::parse).toList();
    List<EntityRule> entities = new ArrayList<>();
    // The prefixes of one rule are of one family.
    for (IpFamily family : IpFamily.values()) {
      List<Prefix> its = networks.stream().filter(net -> net.family() == family).toList();
      if (!its.isEmpty()) {
        entities.add(EntityRule.EMPTY.withNets(its));
      }
    }
    return entities;
  }

  /// Pods only, whether all of some namespaces or some of them.
  private static EntityRule pods(
      @Nullable LabelSelector namespaces, @Nullable NamespacedPods pods) {
    LabelSelector within = pods == null ? namespaces : pods.namespaceSelector();
    return EntityRule.EMPTY
        .withSelector(Selectors.pods(pods == null ? null : pods.podSelector()))
        .withNamespaceSelector(
            Selectors.namespaces(within == null ? LabelSelector.EVERYTHING : within));
  }

  private static ProtocolPorts ports(AdminRule rule) {
    ProtocolPorts ports = new ProtocolPorts();
    for (AdminRule.ProtocolMatch match : Given.list(rule.protocols())) {
      destination(Protocol.Named.TCP, match.tcp(), ports);
      destination(Protocol.Named.UDP, match.udp(), ports);
      destination(Protocol.Named.SCTP, match.sctp(), ports);
      named(match.destinationNamedPort(), ports);
    }
    for (AdminRule.PortMatch match : Given.list(rule.ports())) {
      if (match.portNumber() != null) {
        ports.add(
            orTcp(match.portNumber().protocol()),
            port(match.portNumber().port(), match.portNumber().port()));
      }
      if (match.portRange() != null) {
        ports.add(
            orTcp(match.portRange().protocol()),
            port(match.portRange().start(), match.portRange().end()));
      }
      named(match.namedPort(), ports);
    }
    return ports;
  }

  private static void destination(
      Protocol protocol, AdminRule.@Nullable Destination destination, ProtocolPorts ports) {
    if (destination != null) {
      AdminRule.NumberOrRange port = Given.required(destination.destinationPort(), "port");
      ports.add(
          protocol,
          port.range() == null
              ? port(port.number(), port.number())
              : port(port.range().start(), port.range().end()));
    }
  }

  /// A name says nothing of the protocol, so it is a port of each.
  private static void named(@Nullable String name, ProtocolPorts ports) {
    if (name != null) {
      Transports.ALL.forEach(protocol -> ports.add(protocol, new Port.Named(name)));
    }
  }

  private static Protocol orTcp(@Nullable Protocol protocol) {
    return protocol == null ? Protocol.Named.TCP : protocol;
  }

  private static Port port(@Nullable Integer first, @Nullable Integer last) {
    int from = Given.required(first, "port");
    int to = Given.required(last, "port");
    return from == to ? new Port.Single(from) : new Port.Range(from, to);
  }
}
