package io.margay.cli.resource;

import io.margay.datastore.CommitResult;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Txn;
import io.margay.datastore.json.Decoded;
import io.margay.datastore.json.PodDocuments;
import io.margay.datastore.json.ResourceJson;
import io.margay.datastore.json.ResourceKeys;
import io.margay.model.resource.GlobalNetworkPolicy;
import io.margay.model.resource.IPPool;
import io.margay.model.resource.Kind;
import io.margay.model.resource.Metadata;
import io.margay.model.resource.NetworkPolicy;
import io.margay.model.resource.Resource;
import io.margay.model.resource.ResourceDefaults;
import io.margay.model.resource.ResourceRef;
import io.margay.model.resource.StagedGlobalNetworkPolicy;
import io.margay.model.resource.StagedNetworkPolicy;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// Resources in the datastore: every write is a compare-and-swap, every refusal says why.
final class ResourceStore {

  /// Tries of one apply or delete while others keep changing the same object.
  static final int MAX_ATTEMPTS = 8;

  private final Datastore datastore;
  private final InstantSource clock;

  ResourceStore(Datastore datastore, InstantSource clock) {
    this.datastore = datastore;
    this.clock = clock;
  }

  /// What users say of their pods, which is no resource of its own.
  PodDocuments pods() {
    return new PodDocuments(datastore);
  }

  /// Stores a resource that must not be there yet.
  WriteOutcome create(Resource resource) throws DatastoreException {
    return write(resource, null);
  }

  /// Replaces a resource that must be there, at the revision it names if it names one.
  WriteOutcome replace(Resource resource) throws DatastoreException {
    Optional<KeyValue> stored = stored(resource.ref());
    return stored.isEmpty()
        ? new WriteOutcome.Refused("does not exist")
        : write(resource, stored.get());
  }

  /// Makes the store hold the resource, whether it was there or not.
  WriteOutcome apply(Resource resource) throws DatastoreException {
    for (int attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      Optional<KeyValue> stored = stored(resource.ref());
      WriteOutcome outcome = write(resource, stored.orElse(null));
      boolean lostRace = outcome.equals(LOST_RACE) || stored.isEmpty() && outcome.equals(EXISTS);
      if (!lostRace || resource.metadata().resourceVersion() != null) {
        return outcome;
      }
    }
    return new WriteOutcome.Refused(
        "others changed it " + MAX_ATTEMPTS + " times meanwhile; try again");
  }

  private static final WriteOutcome EXISTS = new WriteOutcome.Refused("already exists");
  private static final WriteOutcome LOST_RACE =
      new WriteOutcome.Refused("changed meanwhile; get it again and repeat the change");

  private WriteOutcome write(Resource given, @Nullable KeyValue stored) throws DatastoreException {
    Resource wanted = identified(ResourceDefaults.withDefaults(given), stored);
    Optional<String> conflict = StoreRules.refusal(wanted, previous(stored), this);
    if (conflict.isPresent()) {
      return new WriteOutcome.Refused(conflict.get());
    }
    String value = ResourceJson.encode(wanted);
    String version = given.metadata().resourceVersion();
    if (stored != null && version != null && !version.equals(Long.toString(stored.modRevision()))) {
      return new WriteOutcome.Refused(
          "is at resourceVersion "
              + stored.modRevision()
              + ", not "
              + version
              + "; get it again and repeat the change");
    }
    if (stored != null && stored.value().equals(value)) {
      return new WriteOutcome.Unchanged();
    }
    Txn.Builder txn = Txn.builder().put(ResourceKeys.key(wanted), value);
    if (stored == null) {
      txn.ifAbsent(ResourceKeys.key(wanted));
    } else {
      txn.ifAtRevision(stored.key(), stored.modRevision());
    }
    tierKey(wanted).ifPresent(txn::ifExists);
    return switch (datastore.commit(txn.build())) {
      case CommitResult.Committed _ ->
          new WriteOutcome.Done(stored == null ? "created" : "replaced");
      case CommitResult.Conflict _ -> stored == null ? EXISTS : LOST_RACE;
    };
  }

  /// A tier must not go while a policy in it comes. The built-in ones never go, stored or not.
  private static Optional<String> tierKey(Resource resource) {
    String tier =
        switch (resource) {
          case NetworkPolicy policy -> policy.spec().effectiveTier();
          case GlobalNetworkPolicy policy -> policy.spec().effectiveTier();
          case StagedNetworkPolicy policy -> policy.spec().policy().effectiveTier();
          case StagedGlobalNetworkPolicy policy -> policy.spec().policy().effectiveTier();
          default -> "";
        };
    return tier.isEmpty() || ResourceDefaults.builtInTiers().containsKey(tier)
        ? Optional.empty()
        : Optional.of(ResourceKeys.key(ResourceRef.global(Kind.TIER, tier)));
  }

  private static @Nullable Resource previous(@Nullable KeyValue stored) {
    return stored == null ? null : valid(stored).orElse(null);
  }

  private static Optional<Resource> valid(KeyValue stored) {
    return ResourceJson.decode(stored.key(), stored.value(), stored.modRevision())
        .flatMap(
            decoded ->
                decoded instanceof Decoded.Valid(Resource resource)
                    ? Optional.of(resource)
                    : Optional.empty());
  }

  /// A stored object keeps its uid and birthday; a new one gets them.
  private Resource identified(Resource resource, @Nullable KeyValue stored) {
    Resource before = previous(stored);
    Metadata metadata =
        before != null && before.metadata().uid() != null
            ? resource
                .metadata()
                .withIdentity(before.metadata().uid(), before.metadata().creationTimestamp())
            : resource
                .metadata()
                .withIdentity(
                    UUID.randomUUID().toString(), clock.instant().truncatedTo(ChronoUnit.SECONDS));
    return resource.withMetadata(metadata);
  }

  /// Deletes a resource, at `resourceVersion` if one is given.
  WriteOutcome delete(ResourceRef ref, @Nullable String resourceVersion) throws DatastoreException {
    for (int attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      Optional<KeyValue> stored = stored(ref);
      if (stored.isEmpty()) {
        return new WriteOutcome.Refused("does not exist");
      }
      long revision = stored.get().modRevision();
      if (resourceVersion != null && !resourceVersion.equals(Long.toString(revision))) {
        return new WriteOutcome.Refused(
            "is at resourceVersion " + revision + ", not " + resourceVersion);
      }
      Optional<String> refusal = StoreRules.deletionRefusal(ref, this);
      if (refusal.isPresent()) {
        return new WriteOutcome.Refused(refusal.get());
      }
      if (datastore.commit(Txn.delete(stored.get())) instanceof CommitResult.Committed) {
        return new WriteOutcome.Done("deleted");
      }
    }
    return new WriteOutcome.Refused(
        "others changed it " + MAX_ATTEMPTS + " times meanwhile; try again");
  }

  /// What is under a resource's key; nothing where its kind has none.
  private Optional<KeyValue> stored(ResourceRef ref) throws DatastoreException {
    return ref.kind().isStoredAsResource()
        ? datastore.get(ResourceKeys.key(ref))
        : Optional.empty();
  }

  Optional<Decoded> get(ResourceRef ref) throws DatastoreException {
    return stored(ref)
        .flatMap(item -> ResourceJson.decode(item.key(), item.value(), item.modRevision()));
  }

  /// Everything of a kind, in one namespace unless `namespace` is null, in key order.
  List<Decoded> list(Kind kind, @Nullable String namespace) throws DatastoreException {
    if (!kind.isStoredAsResource()) {
      return List.of();
    }
    String prefix =
        namespace == null || !kind.isNamespaced()
            ? ResourceKeys.prefix(kind)
            : ResourceKeys.prefix(kind, namespace);
    List<Decoded> found = new ArrayList<>();
    for (KeyValue item : datastore.list(prefix).items()) {
      ResourceJson.decode(item.key(), item.value(), item.modRevision()).ifPresent(found::add);
    }
    return found;
  }

  boolean exists(ResourceRef ref) throws DatastoreException {
    return stored(ref).isPresent();
  }

  /// The valid pools.
  List<IPPool> pools() throws DatastoreException {
    List<IPPool> pools = new ArrayList<>();
    for (Decoded decoded : list(Kind.IP_POOL, null)) {
      if (decoded instanceof Decoded.Valid(IPPool pool)) {
        pools.add(pool);
      }
    }
    return pools;
  }
}
