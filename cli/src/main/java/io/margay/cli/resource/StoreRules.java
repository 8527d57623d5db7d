package io.margay.cli.resource;

import io.margay.datastore.DatastoreException;
import io.margay.datastore.Txn;
import io.margay.ipam.care.PoolRemoval;
import io.margay.model.resource.FieldError;
import io.margay.model.resource.GlobalNetworkPolicy;
import io.margay.model.resource.IPPool;
import io.margay.model.resource.Kind;
import io.margay.model.resource.NetworkPolicy;
import io.margay.model.resource.PolicySpec;
import io.margay.model.resource.Resource;
import io.margay.model.resource.ResourceChange;
import io.margay.model.resource.ResourceDefaults;
import io.margay.model.resource.ResourceRef;
import io.margay.model.resource.StagedGlobalNetworkPolicy;
import io.margay.model.resource.StagedNetworkPolicy;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// What a resource must not be because of the others that are stored.
final class StoreRules {

  /// The profile that every cluster has without storing it.
  static final String DEFAULT_ALLOW = "projectcalico-default-allow";

  private StoreRules() {}

  /// Why `wanted` must not be stored; empty = it may.
  ///
  /// @param before what is stored under its name now
  static Optional<WriteOutcome> refusal(
      Resource wanted, @Nullable Resource before, ResourceStore store) throws DatastoreException {
    Optional<WriteOutcome> kept = keptByOthers(wanted.ref());
    if (kept.isPresent()) {
      return kept;
    }
    if (before != null) {
      List<FieldError> changes = ResourceChange.refusals(before, wanted);
      if (!changes.isEmpty()) {
        return refused(
            changes.stream().map(FieldError::toString).collect(Collectors.joining("; ")));
      }
    }
    return switch (wanted) {
      // As Calico: what overlaps already stays changeable, so that it can be put right.
      case IPPool pool when before == null ->
          PoolRemoval.overlap(pool.spec(), pool.metadata().name(), store.pools())
              .<WriteOutcome>map(WriteOutcome.Conflict::new);
      case NetworkPolicy policy -> tier(policy.spec(), store);
      case GlobalNetworkPolicy policy -> tier(policy.spec(), store);
      case StagedNetworkPolicy policy -> tier(policy.spec().policy(), store);
      case StagedGlobalNetworkPolicy policy -> tier(policy.spec().policy(), store);
      default -> Optional.empty();
    };
  }

  /// A policy in a missing tier would enforce nothing.
  private static Optional<WriteOutcome> tier(PolicySpec spec, ResourceStore store)
      throws DatastoreException {
    String tier = spec.effectiveTier();
    boolean known =
        ResourceDefaults.builtInTiers().containsKey(tier)
            || store.exists(ResourceRef.global(Kind.TIER, tier));
    return known
        ? Optional.empty()
        : refused("spec.tier: there is no tier \"" + tier + "\"; create it first");
  }

  /// The tier a policy names; empty for what is no policy, or has none to name.
  static Optional<String> tierOf(Resource resource) {
    return switch (resource) {
      case NetworkPolicy policy -> Optional.of(policy.spec().effectiveTier());
      case GlobalNetworkPolicy policy -> Optional.of(policy.spec().effectiveTier());
      case StagedNetworkPolicy policy -> Optional.of(policy.spec().policy().effectiveTier());
      case StagedGlobalNetworkPolicy policy -> Optional.of(policy.spec().policy().effectiveTier());
      default -> Optional.empty();
    };
  }

  /// What no user writes: calicoctl refuses the same.
  private static Optional<WriteOutcome> keptByOthers(ResourceRef ref) {
    if (ref.kind() == Kind.CLUSTER_INFORMATION) {
      return refused("is read-only: nodes keep it");
    }
    return ref.kind() == Kind.PROFILE && ref.name().equals(DEFAULT_ALLOW)
        ? refused("is built in and never changes")
        : Optional.empty();
  }

  private static Optional<WriteOutcome> refused(String reason) {
    return Optional.of(new WriteOutcome.Refused(reason));
  }

  /// Why `ref` must stay; empty = it may go.
  ///
  /// @param txn the transaction that deletes it; what must still be so by then is added to it
  static Optional<WriteOutcome> deletionRefusal(
      ResourceRef ref, ResourceStore store, Txn.Builder txn) throws DatastoreException {
    if (ref.kind() != Kind.TIER) {
      return keptByOthers(ref);
    }
    if (ResourceDefaults.builtInTiers().containsKey(ref.name())) {
      return refused("is built in");
    }
    return TierGuard.onDelete(ref.name(), store, txn).map(WriteOutcome.Conflict::new);
  }
}
