package io.margay.cli.datastore;

import io.margay.datastore.CommitResult;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Txn;
import io.margay.datastore.json.Decoded;
import io.margay.datastore.json.ResourceJson;
import io.margay.datastore.json.ResourceKeys;
import io.margay.model.resource.ClusterInformation;
import io.margay.model.resource.ClusterInformationSpec;
import io.margay.model.resource.Kind;
import io.margay.model.resource.Metadata;
import io.margay.model.resource.ResourceRef;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/// The lock that holds addresses as they are while the datastore is copied: `datastoreReady: false`
/// in ClusterInformation `default`, where Calico's nodes look for it too.
final class DatastoreLock {

  /// Tries of one change while others keep changing the same document.
  private static final int MAX_ATTEMPTS = 8;

  static final String KEY =
      ResourceKeys.key(ResourceRef.global(Kind.CLUSTER_INFORMATION, "default"));

  /// What came of a change.
  sealed interface Outcome {

    /// It holds now.
    ///
    /// @param created whether the cluster had no ClusterInformation before
    record Done(boolean created) implements Outcome {}

    /// It held before; nothing was written.
    record Already() implements Outcome {}

    record Refused(String reason) implements Outcome {}
  }

  private final Datastore datastore;
  private final InstantSource clock;

  DatastoreLock(Datastore datastore, InstantSource clock) {
    this.datastore = datastore;
    this.clock = clock;
  }

  /// Whether addresses are held. A ClusterInformation that can't be read counts as none, as it does
  /// for agents.
  boolean isLocked() throws DatastoreException {
    return datastore
        .get(KEY)
        .flatMap(DatastoreLock::valid)
        .map(found -> !found.spec().isDatastoreReady())
        .orElse(false);
  }

  Outcome lock() throws DatastoreException {
    return set(false);
  }

  Outcome unlock() throws DatastoreException {
    return set(true);
  }

  private Outcome set(boolean ready) throws DatastoreException {
    for (int attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      Optional<KeyValue> stored = datastore.get(KEY);
      if (stored.isEmpty()) {
        Txn create = Txn.create(KEY, ResourceJson.encode(initial(ready)));
        if (datastore.commit(create) instanceof CommitResult.Committed) {
          return new Outcome.Done(true);
        }
        continue;
      }
      Optional<ClusterInformation> found = valid(stored.get());
      if (found.isEmpty()) {
        return new Outcome.Refused(
            "ClusterInformation(default) is stored, but can't be read; nothing was changed. See"
                + " margay get clusterinformation default, and margay replace it");
      }
      ClusterInformationSpec spec = found.get().spec();
      if (spec.datastoreReady() != null && spec.datastoreReady() == ready) {
        return new Outcome.Already();
      }
      Txn replace =
          Txn.replace(stored.get(), ResourceJson.encode(found.get().withSpec(with(spec, ready))));
      if (datastore.commit(replace) instanceof CommitResult.Committed) {
        return new Outcome.Done(false);
      }
    }
    return new Outcome.Refused(
        "others changed ClusterInformation(default) "
            + MAX_ATTEMPTS
            + " times meanwhile; try"
            + " again");
  }

  private static Optional<ClusterInformation> valid(KeyValue stored) {
    return ResourceJson.decode(stored.key(), stored.value(), stored.modRevision())
        .flatMap(
            decoded ->
                decoded instanceof Decoded.Valid(ClusterInformation found)
                    ? Optional.of(found)
                    : Optional.empty());
  }

  private static ClusterInformationSpec with(ClusterInformationSpec spec, boolean ready) {
    return new ClusterInformationSpec(
        spec.clusterGUID(),
        spec.clusterType(),
        spec.calicoVersion(),
        ready,
        spec.variant(),
        spec.unknown());
  }

  /// What Calico's first node writes: an identity of 32 hexadecimal digits and the flag.
  private ClusterInformation initial(boolean ready) {
    return new ClusterInformation(
        Metadata.named("default")
            .withIdentity(
                UUID.randomUUID().toString(), clock.instant().truncatedTo(ChronoUnit.SECONDS)),
        new ClusterInformationSpec(
            UUID.randomUUID().toString().replace("-", ""), null, null, ready, null, Map.of()));
  }
}
