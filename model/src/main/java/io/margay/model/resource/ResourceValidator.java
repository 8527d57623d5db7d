package io.margay.model.resource;

import io.margay.model.selector.Selector;
import java.util.List;
import java.util.Set;

/// Every rule a resource must obey beyond the types of its fields. Pure; says all that is wrong,
/// not just the first thing.
public final class ResourceValidator {

  /// Longest rest of a released address, in seconds.
  public static final int MAX_IP_COOLDOWN_SECONDS = AddressValidation.MAX_IP_COOLDOWN_SECONDS;

  /// Longest time between two reports on a node, in seconds: a day.
  public static final int MAX_STATUS_PERIOD_SECONDS = 86_400;

  private static final String DEFAULT = "default";

  private ResourceValidator() {}

  /// What is wrong with `resource`; empty = it is valid.
  public static List<FieldError> validate(Resource resource) {
    FieldErrors errors = new FieldErrors();
    metadata(resource, errors);
    switch (resource) {
      case NetworkPolicy policy -> PolicyValidation.policy(policy.spec(), false, errors);
      case GlobalNetworkPolicy policy -> PolicyValidation.policy(policy.spec(), true, errors);
      case Profile profile -> profile(profile.spec(), errors);
      case Tier tier -> tier(tier, errors);
      case BGPConfiguration configuration -> {
        defaultOrNode(configuration, errors);
        BgpValidation.configuration(configuration, errors);
      }
      case StagedNetworkPolicy policy -> PolicyValidation.staged(policy.spec(), false, errors);
      case StagedGlobalNetworkPolicy policy -> PolicyValidation.staged(policy.spec(), true, errors);
      case StagedKubernetesNetworkPolicy policy -> stagedKubernetes(policy.spec(), errors);
      case BGPFilter filter -> FilterValidation.filter(filter.spec(), errors);
      case KubeControllersConfiguration configuration -> {
        defaultOnly(configuration, errors);
        ControllersValidation.configuration(configuration.spec(), errors);
      }
      case CalicoNodeStatus status -> nodeStatus(status.spec(), errors);
      case BlockAffinity affinity -> blockAffinity(affinity.spec(), errors);
      case LiveMigration migration -> liveMigration(migration.spec(), errors);
      case BGPPeer peer -> BgpValidation.peer(peer.spec(), errors);
      case Node node -> BgpValidation.node(node.spec(), errors);
      case FelixConfiguration configuration -> {
        felixName(configuration, errors);
        felix(configuration.spec(), errors);
      }
      case ClusterInformation information -> defaultOnly(information, errors);
      case IPAMConfiguration configuration -> {
        defaultOnly(configuration, errors);
        AddressValidation.ipam(configuration.spec(), errors);
      }
      case IPPool pool -> AddressValidation.pool(pool.spec(), errors);
      case HostEndpoint endpoint -> EndpointValidation.hostEndpoint(endpoint.spec(), errors);
      case WorkloadEndpoint endpoint -> EndpointValidation.workloadEndpoint(endpoint, errors);
      case NetworkSet _, GlobalNetworkSet _ -> networkSet(resource.metadata(), errors);
      // Its fields say it all; Kubernetes' documents are checked as such.
      case IPReservation _, EndpointSlice _ -> {}
    }
    return errors.found();
  }

  private static void metadata(Resource resource, FieldErrors errors) {
    Metadata metadata = resource.metadata();
    switch (resource) {
      case Tier _ -> NameRules.label(metadata.name(), "tier", "metadata.name", errors);
      case NetworkPolicy _,
          GlobalNetworkPolicy _,
          StagedNetworkPolicy _,
          StagedGlobalNetworkPolicy _ ->
          NameRules.policyName(metadata.name(), "metadata.name", errors);
      default -> NameRules.name(metadata.name(), "metadata.name", errors);
    }
    if (!resource.kind().isNamespaced()) {
      errors.unless(
          metadata.namespaceOrEmpty().isEmpty(),
          "metadata.namespace",
          "a " + resource.kind() + " is in no namespace");
    } else if (metadata.namespaceOrEmpty().isEmpty()) {
      errors.add("metadata.namespace", "is required for a " + resource.kind());
    } else {
      NameRules.label(metadata.namespaceOrEmpty(), "namespace", "metadata.namespace", errors);
    }
    NameRules.labels(metadata.labels(), "metadata.labels", errors);
    NameRules.annotations(metadata.annotations(), "metadata.annotations", errors);
  }

  private static void defaultOnly(Resource resource, FieldErrors errors) {
    errors.unless(
        resource.metadata().name().equals(DEFAULT),
        "metadata.name",
        "the only " + resource.kind() + " is named \"default\"");
  }

  /// One for the nodes of a selector may have any other name.
  private static void felixName(FelixConfiguration configuration, FieldErrors errors) {
    if (configuration.spec().text("nodeSelector").filter(text -> !text.isEmpty()).isEmpty()) {
      defaultOrNode(configuration, errors);
    } else {
      errors.unless(
          !isDefaultOrNode(configuration.metadata().name()),
          "spec.nodeSelector",
          "is for a FelixConfiguration that is neither \"default\" nor a node's");
    }
  }

  private static boolean isDefaultOrNode(String name) {
    return name.equals(DEFAULT) || name.startsWith("node.") && name.length() > "node.".length();
  }

  private static void defaultOrNode(Resource resource, FieldErrors errors) {
    errors.unless(
        isDefaultOrNode(resource.metadata().name()),
        "metadata.name",
        "a " + resource.kind() + " is named \"default\" or \"node.\" and the node's name");
  }

  private static void profile(ProfileSpec spec, FieldErrors errors) {
    PolicyValidation.rules(spec.ingress(), spec.egress(), false, errors);
    NameRules.labels(spec.labelsToApply(), "spec.labelsToApply", errors);
  }

  /// Selectors know a set's namespace by this label, which therefore nobody may write.
  private static void networkSet(Metadata metadata, FieldErrors errors) {
    errors.unless(
        !metadata.labels().containsKey(Selector.NAMESPACE_LABEL),
        "metadata.labels",
        Selector.NAMESPACE_LABEL + " is set by the system");
  }

  private static void felix(FelixConfigurationSpec spec, FieldErrors errors) {
    FelixKnobs.TABLE.validate(spec.settings(), "spec", errors);
    errors.unless(
        spec.settings().get("routeTableRange") == null
            || spec.settings().get("routeTableRanges") == null,
        "spec.routeTableRange",
        "can't be combined with routeTableRanges");
  }

  private static void stagedKubernetes(StagedKubernetesNetworkPolicySpec spec, FieldErrors errors) {
    errors.distinct(spec.policyTypes(), "spec.policyTypes");
    if (spec.stagedAction() == StagedAction.DELETE) {
      errors.unless(
          spec.podSelector().isEmpty()
              && spec.ingress().isEmpty()
              && spec.egress().isEmpty()
              && spec.policyTypes().isEmpty(),
          "spec",
          "has nothing but stagedAction when that is Delete");
    }
  }

  private static void tier(Tier tier, FieldErrors errors) {
    PolicyValidation.order(tier.spec().order(), errors);
    TierSpec builtIn = ResourceDefaults.builtInTier(tier.metadata().name());
    if (builtIn != null && tier.spec().order() != null) {
      errors.unless(
          tier.spec().order().equals(builtIn.order()),
          "spec.order",
          "of tier \"" + tier.metadata().name() + "\" is always " + builtIn.order());
    }
  }

  private static void nodeStatus(CalicoNodeStatusSpec spec, FieldErrors errors) {
    errors.present(spec.node(), "spec.node");
    if (spec.node() != null) {
      NameRules.name(spec.node(), "spec.node", errors);
    }
    errors.unless(!spec.classes().isEmpty(), "spec.classes", "is required");
    errors.distinct(spec.classes(), "spec.classes");
    errors.present(spec.updatePeriodSeconds(), "spec.updatePeriodSeconds");
    errors.range(
        spec.updatePeriodSeconds(), 0, MAX_STATUS_PERIOD_SECONDS, "spec.updatePeriodSeconds");
  }

  private static void blockAffinity(BlockAffinitySpec spec, FieldErrors errors) {
    errors.oneOf(spec.state(), Set.of("pending", "confirmed", "pendingDeletion"), "spec.state");
    errors.oneOf(spec.type(), Set.of("host", "virtual"), "spec.type");
    errors.oneOf(spec.deleted(), Set.of("true", "false"), "spec.deleted");
    errors.unless(!"true".equals(spec.deleted()), "spec.deleted", "can't be set to \"true\"");
    errors.present(spec.node(), "spec.node");
  }

  private static void liveMigration(LiveMigrationSpec spec, FieldErrors errors) {
    if (spec.source() != null) {
      errors.unless(
          (spec.source().workload() == null) != (spec.source().workloadEndpoint() == null),
          "spec.Source",
          "needs either Workload or WorkloadEndpoint");
    }
    if (spec.target() != null) {
      errors.unless(
          (spec.target().selector() == null) != (spec.target().workloadEndpoint() == null),
          "spec.Target",
          "needs either Selector or WorkloadEndpoint");
      PolicyValidation.selector(spec.target().selector(), "spec.Target.Selector", errors);
    }
  }
}
