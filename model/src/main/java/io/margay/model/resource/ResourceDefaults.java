package io.margay.model.resource;

import io.margay.model.selector.Selector;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// What Calico writes into a resource when it is stored, where its author left it out.
public final class ResourceDefaults {

  /// Label of a workload endpoint: who runs it.
  public static final String ORCHESTRATOR_LABEL = "projectcalico.org/orchestrator";

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
      case NetworkPolicy policy -> policy.withSpec(policy.spec().withDefaults());
      case GlobalNetworkPolicy policy -> policy.withSpec(policy.spec().withDefaults());
      case Tier tier -> tier.withSpec(tier(tier));
      case IPPool pool -> pool.withSpec(pool.spec().withDefaults());
      case WorkloadEndpoint endpoint -> endpoint.withMetadata(labelled(endpoint));
      case StagedNetworkPolicy policy -> policy.withSpec(policy.spec().withDefaults());
      case StagedGlobalNetworkPolicy policy -> policy.withSpec(policy.spec().withDefaults());
      case StagedKubernetesNetworkPolicy policy -> policy.withSpec(policy.spec().withDefaults());
      case BGPConfiguration _,
          BGPFilter _,
          BGPPeer _,
          BlockAffinity _,
          CalicoNodeStatus _,
          ClusterInformation _,
          FelixConfiguration _,
          GlobalNetworkSet _,
          HostEndpoint _,
          IPAMConfiguration _,
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
