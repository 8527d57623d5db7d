package io.margay.cli.resource;

import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Txn;
import io.margay.datastore.json.ResourceKeys;
import io.margay.model.resource.Kind;
import io.margay.model.resource.Resource;
import io.margay.model.resource.ResourceDefaults;
import io.margay.model.resource.ResourceRef;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Keeps a tier from going while a policy comes into it. A transaction can't ask whether any policy
/// names the tier, so each that comes writes a key of the tier's in the same transaction, and the
/// tier goes only if nobody has written that key since the policies were looked through. The
/// built-in tiers never go and have none. Calico's own clients write no such key.
final class TierGuard {

  /// The rest of the key is the tier's name, the value the policy that came last.
  static final String PREFIX = "/margay/v1/tiers/";

  private TierGuard() {}

  /// Adds to the transaction that writes a policy what keeps its tier there.
  ///
  /// @param before what is stored under the policy's name now
  static void onWrite(Resource policy, @Nullable Resource before, Txn.Builder txn) {
    Optional<String> tier =
        StoreRules.tierOf(policy)
            .filter(name -> !ResourceDefaults.builtInTiers().containsKey(name));
    if (tier.isEmpty()) {
      return;
    }
    txn.ifExists(ResourceKeys.key(ResourceRef.global(Kind.TIER, tier.get())));
    if (before == null || !tier.equals(StoreRules.tierOf(before))) {
      txn.put(PREFIX + tier.get(), policy.ref().toString());
    }
  }

  /// Adds to the transaction that deletes a tier that no policy has come into it since. To be
  /// called before its policies are looked through.
  static void onDelete(String tier, Datastore datastore, Txn.Builder txn)
      throws DatastoreException {
    Optional<KeyValue> last = datastore.get(PREFIX + tier);
    if (last.isEmpty()) {
      txn.ifAbsent(PREFIX + tier);
    } else {
      txn.ifAtRevision(PREFIX + tier, last.get().modRevision()).delete(PREFIX + tier);
    }
  }
}
