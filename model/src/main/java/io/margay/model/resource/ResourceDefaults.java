package io.margay.model.resource;

import io.margay.model.selector.Selector;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// What Calico writes into a resource when it is stored, where its author left it out.
public final class ResourceDefaults {

  /// Label of a workload endpoint: who runs it.
  public static final String ORCHESTRATOR_LABEL = "projectcalico.org/orchestrator";

  /// Label of a policy: its tier, unless that is `default`.
  public static final String TIER_LABEL = "projectcalico.org/tier";

  private static final Map<String, TierSpec> BUILT_IN_TIERS =
      Map.of(
          TierSpec.KUBE_ADMIN_TIER,
          new TierSpec(1_000d, TierAction.PASS, Map.of()),
          TierSpec.DEFAULT_TIER,
          new TierSpec(1_000_000d, TierAction.DENY, Map.of()),
          TierSpec.KUBE_BASELINE_TIER,
          new TierSpec(10_000_000d, TierAction.PASS, Map.of()));

  private ResourceDefaults() {}

  /// `resource` with its defaults written out. Applying it twice changes nothing more.
  public static Resource withDefaults(Resource resource) {
    return switch (resource) {
      case NetworkPolicy policy ->
          policy
              .withSpec(policy.spec().withDefaults())
              .withMetadata(tiered(policy.metadata(), policy.spec()));
      case GlobalNetworkPolicy policy ->
          policy
              .withSpec(policy.spec().withDefaults())
              .withMetadata(tiered(policy.metadata(), policy.spec()));
      case Tier tier -> tier.withSpec(tier(tier));
      case FelixConfiguration configuration ->
          configuration.withSpec(configuration.spec().withDefaults());
      case IPAMConfiguration configuration ->
          configuration.withSpec(configuration.spec().withDefaults());
      case IPPool pool -> pool.withSpec(pool.spec().withDefaults());
      case WorkloadEndpoint endpoint -> endpoint.withMetadata(labelled(endpoint));
      case StagedNetworkPolicy policy ->
          policy
              .withSpec(policy.spec().withDefaults())
              .withMetadata(tiered(policy.metadata(), policy.spec().policy()));
      case StagedGlobalNetworkPolicy policy ->
          policy
              .withSpec(policy.spec().withDefaults())
              .withMetadata(tiered(policy.metadata(), policy.spec().policy()));
      case StagedKubernetesNetworkPolicy policy -> policy.withSpec(policy.spec().withDefaults());
      case BGPConfiguration _,
          BGPFilter _,
          BGPPeer _,
          BlockAffinity _,
          CalicoNodeStatus _,
          ClusterInformation _,
          EndpointSlice _,
          GlobalNetworkSet _,
          HostEndpoint _,
          IPReservation _,
          KubeControllersConfiguration _,
          LiveMigration _,
          NetworkSet _,
          Node _,
          Profile _ ->
          resource;
    };
  }

  /// The tiers that exist in every cluster, by name.
  public static Map<String, TierSpec> builtInTiers() {
    return BUILT_IN_TIERS;
  }

  static @Nullable TierSpec builtInTier(String name) {
    return BUILT_IN_TIERS.get(name);
  }

  private static TierSpec tier(Tier tier) {
    TierSpec builtIn = builtInTier(tier.metadata().name());
    TierSpec spec = tier.spec();
    return builtIn == null
        ? spec.withDefaults()
        : new TierSpec(
            spec.order() == null ? builtIn.order() : spec.order(),
            spec.defaultAction() == null ? builtIn.defaultAction() : spec.defaultAction(),
            spec.unknown());
  }

  /// Calico finds the policies of a tier by this label; those of `default` carry none.
  private static Metadata tiered(Metadata metadata, PolicySpec spec) {
    String tier = spec.effectiveTier();
    if (tier.equals(TierSpec.DEFAULT_TIER)) {
      return metadata;
    }
    Map<String, String> labels = new TreeMap<>(metadata.labels());
    labels.put(TIER_LABEL, tier);
    return metadata.withLabels(labels);
  }

  /// Selectors find an endpoint's namespace, orchestrator and service account as labels of it.
  private static Metadata labelled(WorkloadEndpoint endpoint) {
    Metadata metadata = endpoint.metadata();
    Map<String, String> labels = new TreeMap<>(metadata.labels());
    if (metadata.namespace() != null) {
      labels.put(Selector.NAMESPACE_LABEL, metadata.namespace());
    }
    String orchestrator = endpoint.spec().orchestrator();
    if (orchestrator != null) {
      labels.put(ORCHESTRATOR_LABEL, orchestrator);
    }
    String account = endpoint.spec().serviceAccountName();
    if (account != null && !account.isEmpty()) {
      labels.put(Selector.SERVICE_ACCOUNT_LABEL, account);
    }
    return metadata.withLabels(labels);
  }
}
