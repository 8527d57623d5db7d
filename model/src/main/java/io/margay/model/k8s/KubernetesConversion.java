package io.margay.model.k8s;

import io.margay.model.resource.Action;
import io.margay.model.resource.EntityRule;
import io.margay.model.resource.Metadata;
import io.margay.model.resource.NetworkPolicy;
import io.margay.model.resource.PolicySpec;
import io.margay.model.resource.PolicyType;
import io.margay.model.resource.Port;
import io.margay.model.resource.Profile;
import io.margay.model.resource.ProfileSpec;
import io.margay.model.resource.Protocol;
import io.margay.model.resource.Resource;
import io.margay.model.resource.Rule;
import io.margay.model.resource.TierSpec;
import io.margay.model.selector.Selector;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Kubernetes documents as Calico's controllers would store them. A converted policy is a Calico
/// policy of order 1000 in tier `default`; a namespace or a service account is a profile that hands
/// its labels down.
public final class KubernetesConversion {

  /// Prefix of the names of converted policies.
  public static final String POLICY_NAME_PREFIX = "knp.default.";

  /// Prefix of the names of profiles of namespaces.
  public static final String NAMESPACE_PROFILE_PREFIX = "kns.";

  /// Prefix of the names of profiles of service accounts.
  public static final String SERVICE_ACCOUNT_PROFILE_PREFIX = "ksa.";

  /// Order of every converted policy.
  public static final double POLICY_ORDER = 1000;

  /// With the prefix of its source, the label that carries a namespace's or service account's name.
  public static final String NAME_LABEL = "projectcalico.org/name";

  private static final String PODS = "projectcalico.org/orchestrator == 'k8s'";

  private KubernetesConversion() {}

  /// What `document` is stored as.
  ///
  /// @param document valid by [KubernetesValidator]
  public static Resource convert(KubernetesDocument document) {
    return switch (document) {
      case KubernetesNetworkPolicy policy -> networkPolicy(policy);
      case KubernetesNamespace namespace -> namespaceProfile(namespace);
      case KubernetesServiceAccount account -> serviceAccountProfile(account);
    };
  }

  static Profile namespaceProfile(KubernetesNamespace namespace) {
    String name = namespace.metadata().name();
    return new Profile(
        Metadata.named(NAMESPACE_PROFILE_PREFIX + name),
        new ProfileSpec(
            List.of(Rule.of(Action.ALLOW)),
            List.of(Rule.of(Action.ALLOW)),
            inherited(namespace.metadata(), Selector.NAMESPACE_LABEL_PREFIX),
            Map.of()));
  }

  /// Labels only: the pod's namespace profile, before it, already allows what no policy decides.
  static Profile serviceAccountProfile(KubernetesServiceAccount account) {
    Metadata metadata = account.metadata();
    return new Profile(
        Metadata.named(
            SERVICE_ACCOUNT_PROFILE_PREFIX + metadata.namespaceOrEmpty() + "." + metadata.name()),
        new ProfileSpec(
            List.of(),
            List.of(),
            inherited(metadata, Selector.SERVICE_ACCOUNT_LABEL_PREFIX),
            Map.of()));
  }

  private static Map<String, String> inherited(Metadata metadata, String prefix) {
    Map<String, String> labels = new TreeMap<>();
    metadata.labels().forEach((key, value) -> labels.put(prefix + key, value));
    labels.put(prefix + NAME_LABEL, metadata.name());
    return labels;
  }

  static NetworkPolicy networkPolicy(KubernetesNetworkPolicy policy) {
    KubernetesNetworkPolicy.Spec spec = policy.spec();
    List<Rule> ingress = new ArrayList<>();
    for (KubernetesNetworkPolicy.IngressRule rule : spec.ingress()) {
      addRules(rule.from(), rule.ports(), PolicyType.INGRESS, ingress);
    }
    List<Rule> egress = new ArrayList<>();
    for (KubernetesNetworkPolicy.EgressRule rule : spec.egress()) {
      addRules(rule.to(), rule.ports(), PolicyType.EGRESS, egress);
    }
    return new NetworkPolicy(
        Metadata.named(
            policy.metadata().namespaceOrEmpty(), POLICY_NAME_PREFIX + policy.metadata().name()),
        PolicySpec.EMPTY
            .withTier(TierSpec.DEFAULT_TIER)
            .withOrder(POLICY_ORDER)
            .withSelector(pods(spec.podSelector()))
            .withTypes(types(spec))
            .withIngress(ingress)
            .withEgress(egress));
  }

  private static List<PolicyType> types(KubernetesNetworkPolicy.Spec spec) {
    if (spec.policyTypes().isEmpty()) {
      return spec.egress().isEmpty()
          ? List.of(PolicyType.INGRESS)
          : List.of(PolicyType.INGRESS, PolicyType.EGRESS);
    }
    return spec.policyTypes().stream().sorted().toList();
  }

  private static void addRules(
      List<PolicyPeer> peers, List<PolicyPort> ports, PolicyType direction, List<Rule> rules) {
    Map<String, List<Port>> byProtocol = byProtocol(ports);
    if (byProtocol.isEmpty()) {
      addRules(peers, Rule.of(Action.ALLOW), List.of(), direction, rules);
    }
    byProtocol.forEach(
        (protocol, its) ->
            addRules(
                peers,
                Rule.of(Action.ALLOW).withProtocol(Protocol.parse(protocol)),
                PortRanges.merged(its),
                direction,
                rules));
  }

  private static void addRules(
      List<PolicyPeer> peers, Rule base, List<Port> ports, PolicyType direction, List<Rule> rules) {
    List<EntityRule> entities =
        peers.isEmpty()
            ? List.of(EntityRule.EMPTY)
            : peers.stream().map(KubernetesConversion::entity).toList();
    for (EntityRule peer : entities) {
      rules.add(
          switch (direction) {
            case INGRESS ->
                base.withSource(peer).withDestination(EntityRule.EMPTY.withPorts(ports));
            case EGRESS -> base.withDestination(peer.withPorts(ports));
          });
    }
  }

  /// Ports by protocol name; an empty list is every port of the protocol.
  private static Map<String, List<Port>> byProtocol(List<PolicyPort> ports) {
    Map<String, List<Port>> byProtocol = new TreeMap<>();
    Set<String> unlimited = new HashSet<>();
    for (PolicyPort port : ports) {
      Protocol given = port.protocol();
      String protocol = given == null ? Protocol.Named.TCP.name() : given.toString();
      List<Port> sofar = byProtocol.computeIfAbsent(protocol, _ -> new ArrayList<>());
      switch (port.port()) {
        case null -> unlimited.add(protocol);
        case Port.Single(int first) when port.endPort() != null ->
            sofar.add(new Port.Range(first, port.endPort()));
        case Port one -> sofar.add(one);
      }
    }
    unlimited.forEach(protocol -> byProtocol.put(protocol, List.of()));
    return byProtocol;
  }

  private static EntityRule entity(PolicyPeer peer) {
    PolicyPeer.IpBlock block = peer.ipBlock();
    if (block != null) {
      return EntityRule.EMPTY.withNets(List.of(block.cidr())).withNotNets(block.except());
    }
    return EntityRule.EMPTY
        .withSelector(pods(peer.podSelector()))
        .withNamespaceSelector(namespaces(peer.namespaceSelector()));
  }

  /// A selector over pods: only endpoints that Kubernetes runs are any.
  private static Selector pods(@Nullable LabelSelector selector) {
    List<String> terms = new ArrayList<>(List.of(PODS));
    if (selector != null) {
      terms.addAll(terms(selector));
    }
    return Selector.parse(String.join(" && ", terms));
  }

  /// Null = the policy's own namespace; `{}` = all of them.
  private static @Nullable Selector namespaces(@Nullable LabelSelector selector) {
    if (selector == null) {
      return null;
    }
    return selector.isEmpty() ? Selector.ALL : Selector.parse(String.join(" && ", terms(selector)));
  }

  private static List<String> terms(LabelSelector selector) {
    List<String> terms = new ArrayList<>();
    selector.matchLabels().forEach((key, value) -> terms.add(key + " == '" + value + "'"));
    for (LabelSelector.Requirement requirement : selector.matchExpressions()) {
      String values = "{ '" + String.join("', '", requirement.values()) + "' }";
      terms.add(
          switch (requirement.operator()) {
            case IN -> requirement.key() + " in " + values;
            case NOT_IN -> requirement.key() + " not in " + values;
            case EXISTS -> "has(" + requirement.key() + ")";
            case DOES_NOT_EXIST -> "! has(" + requirement.key() + ")";
          });
    }
    return terms;
  }
}
