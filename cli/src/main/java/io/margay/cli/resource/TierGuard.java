package io.margay.cli.resource;

import io.margay.datastore.DatastoreException;
import io.margay.datastore.Listing;
import io.margay.datastore.Txn;
import io.margay.datastore.json.Decoded;
import io.margay.datastore.json.ResourceJson;
import io.margay.datastore.json.ResourceKeys;
import io.margay.model.resource.Kind;
import io.margay.model.resource.Resource;
import io.margay.model.resource.ResourceDefaults;
import io.margay.model.resource.ResourceRef;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// Keeps a tier from going while a policy comes into it, whoever writes the policy: the tier goes
/// in a transaction that asks whether any policy has been written since they were looked through.
/// The other way round, a policy comes only while its tier is there; of other writers, that can't
/// be had: who has seen the tier may still write a policy after it went, which then denies.
final class TierGuard {

  private static final List<Kind> POLICIES =
      List.of(
          Kind.NETWORK_POLICY,
          Kind.GLOBAL_NETWORK_POLICY,
          Kind.STAGED_NETWORK_POLICY,
          Kind.STAGED_GLOBAL_NETWORK_POLICY);

  private TierGuard() {}

  /// Adds to the transaction that writes a policy that its tier is there. The built-in tiers always
  /// are.
  static void onWrite(Resource policy, Txn.Builder txn) {
    StoreRules.tierOf(policy)
        .filter(name -> !ResourceDefaults.builtInTiers().containsKey(name))
        .ifPresent(tier -> txn.ifExists(ResourceKeys.key(ResourceRef.global(Kind.TIER, tier))));
  }

  /// Adds to the transaction that deletes a tier that no policy has been written meanwhile.
  ///
  /// @return why the tier must stay
  static Optional<String> onDelete(String tier, ResourceStore store, Txn.Builder txn)
      throws DatastoreException {
    for (Kind kind : POLICIES) {
      Listing policies = store.listing(kind, null);
      Optional<String> reason =
          policies.items().stream()
              .flatMap(
                  item ->
                      ResourceJson.decode(item.key(), item.value(), item.modRevision()).stream())
              .flatMap(policy -> keeps(policy, tier))
              .findFirst();
      if (reason.isPresent()) {
        return reason;
      }
      txn.ifUnchanged(ResourceKeys.prefix(kind), policies.revision());
    }
    return Optional.empty();
  }

  /// Why a tier must stay for a policy; one whose tier can't be told may be in any.
  private static Stream<String> keeps(Decoded policy, String tier) {
    return switch (policy) {
      case Decoded.Valid(Resource valid) ->
          StoreRules.tierOf(valid)
              .filter(tier::equals)
              .map(_ -> "still holds " + policy.ref())
              .stream();
      case Decoded.Invalid(_, _, Optional<Resource> readable) ->
          readable
              .map(part -> StoreRules.tierOf(part).filter(tier::equals).map(_ -> "still holds "))
              .orElse(Optional.of("may hold "))
              .map(word -> word + policy.ref() + ", which can't be read; repair or delete it first")
              .stream();
    };
  }
}
