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
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// Kubernetes documents as Calico's controllers would store them. A converted NetworkPolicy is a
/// Calico policy of order 1000 in tier `default`; an administrator's policy is a global one in a
/// tier before or after that; a namespace or a service account is a profile that hands its labels
/// down.
public final class KubernetesConversion {

  /// Prefix of the names of converted NetworkPolicies.
  public static final String POLICY_NAME_PREFIX = "knp.default.";

  /// Prefix of the names of converted ClusterNetworkPolicies of tier Admin.
  public static final String CLUSTER_ADMIN_NAME_PREFIX = "kcnp.kube-admin.";

  /// Prefix of the names of converted ClusterNetworkPolicies of tier Baseline.
  public static final String CLUSTER_BASELINE_NAME_PREFIX = "kcnp.kube-baseline.";

  /// Prefix of the names of converted AdminNetworkPolicies.
  public static final String ADMIN_NAME_PREFIX = "kanp.adminnetworkpolicy.";

  /// Prefix of the name of the converted BaselineAdminNetworkPolicy.
  public static final String BASELINE_NAME_PREFIX = "kbanp.baselineadminnetworkpolicy.";

  /// Prefix of the names of profiles of namespaces.
  public static final String NAMESPACE_PROFILE_PREFIX = "kns.";

  /// Prefix of the names of profiles of service accounts.
  public static final String SERVICE_ACCOUNT_PROFILE_PREFIX = "ksa.";

  /// Order of every converted NetworkPolicy.
  public static final double POLICY_ORDER = 1000;

  /// With the prefix of its source, the label that carries a namespace's or service account's name.
  public static final String NAME_LABEL = "projectcalico.org/name";

  /// The label with its name that the API server gives every namespace.
  private static final String METADATA_NAME_LABEL = "kubernetes.io/metadata.name";

  private KubernetesConversion() {}

  /// What `document` is stored as.
  ///
  /// @param document valid by [KubernetesValidator]
  public static Resource convert(ConvertedDocument document) {
    return trace(document).resource();
  }

  /// As [#convert], with the rules' origins: one rule of a document may become several.
  public static Conversion trace(ConvertedDocument document) {
    return switch (document) {
      case AdminPolicy policy -> AdminPolicyConversion.globalPolicy(policy);
      case KubernetesNetworkPolicy policy -> networkPolicy(policy);
      case KubernetesNamespace namespace -> Conversion.withoutRules(namespaceProfile(namespace));
      case KubernetesServiceAccount account ->
          Conversion.withoutRules(serviceAccountProfile(account));
    };
  }

  static Profile namespaceProfile(KubernetesNamespace namespace) {
    String name = namespace.metadata().name();
    Map<String, String> labels = inherited(namespace.metadata(), Selector.NAMESPACE_LABEL_PREFIX);
    labels.put(Selector.NAMESPACE_LABEL_PREFIX + METADATA_NAME_LABEL, name);
    return new Profile(
        Metadata.named(NAMESPACE_PROFILE_PREFIX + name),
        new ProfileSpec(
            List.of(Rule.of(Action.ALLOW)), List.of(Rule.of(Action.ALLOW)), labels, Map.of()));
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

  static Conversion networkPolicy(KubernetesNetworkPolicy policy) {
    KubernetesNetworkPolicy.Spec spec = policy.spec();
    List<List<Rule>> ingress = new ArrayList<>();
    for (KubernetesNetworkPolicy.IngressRule rule : spec.ingress()) {
      ingress.add(rules(rule.from(), rule.ports(), PolicyType.INGRESS));
    }
    List<List<Rule>> egress = new ArrayList<>();
    for (KubernetesNetworkPolicy.EgressRule rule : spec.egress()) {
      egress.add(rules(rule.to(), rule.ports(), PolicyType.EGRESS));
    }
    return new Conversion(
        new NetworkPolicy(
            Metadata.named(
                policy.metadata().namespaceOrEmpty(),
                POLICY_NAME_PREFIX + policy.metadata().name()),
            PolicySpec.EMPTY
                .withTier(TierSpec.DEFAULT_TIER)
                .withOrder(POLICY_ORDER)
                .withSelector(Selectors.pods(spec.podSelector()))
                .withTypes(types(spec))
                .withIngress(Conversion.joined(ingress))
                .withEgress(Conversion.joined(egress))),
        Conversion.origins(ingress),
        Conversion.origins(egress));
  }

  private static List<PolicyType> types(KubernetesNetworkPolicy.Spec spec) {
    if (spec.policyTypes().isEmpty()) {
      return spec.egress().isEmpty()
          ? List.of(PolicyType.INGRESS)
          : List.of(PolicyType.INGRESS, PolicyType.EGRESS);
    }
    return spec.policyTypes().stream().distinct().sorted().toList();
  }

  private static List<Rule> rules(
      List<PolicyPeer> peers, List<PolicyPort> ports, PolicyType direction) {
    List<Rule> rules = new ArrayList<>();
    List<EntityRule> entities =
        peers.isEmpty()
            ? List.of(EntityRule.EMPTY)
            : peers.stream().map(KubernetesConversion::entity).toList();
    for (ProtocolPorts.Match match : matches(ports)) {
      Rule base = Rule.of(Action.ALLOW).withProtocol(match.protocol());
      for (EntityRule peer : entities) {
        rules.add(
            switch (direction) {
              case INGRESS ->
                  base.withSource(peer).withDestination(EntityRule.EMPTY.withPorts(match.ports()));
              case EGRESS -> base.withDestination(peer.withPorts(match.ports()));
            });
      }
    }
    return rules;
  }

  private static List<ProtocolPorts.Match> matches(List<PolicyPort> ports) {
    ProtocolPorts gathered = new ProtocolPorts();
    for (PolicyPort port : ports) {
      Protocol protocol = port.protocol() == null ? Protocol.Named.TCP : port.protocol();
      gathered.add(
          protocol,
          port.port() instanceof Port.Single(int first) && port.endPort() != null
              ? new Port.Range(first, port.endPort())
              : port.port());
    }
    return gathered.matches();
  }

  private static EntityRule entity(PolicyPeer peer) {
    PolicyPeer.IpBlock block = peer.ipBlock();
    if (block != null) {
      return EntityRule.EMPTY.withNets(List.of(block.cidr())).withNotNets(block.except());
    }
    return EntityRule.EMPTY
        .withSelector(Selectors.pods(peer.podSelector()))
        .withNamespaceSelector(
            peer.namespaceSelector() == null
                ? null
                : Selectors.namespaces(peer.namespaceSelector()));
  }
}
