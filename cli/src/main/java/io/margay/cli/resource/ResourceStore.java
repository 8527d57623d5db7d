package io.margay.cli.resource;

import io.margay.datastore.CommitResult;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Listing;
import io.margay.datastore.Txn;
import io.margay.datastore.json.Decoded;
import io.margay.datastore.json.ResourceJson;
import io.margay.datastore.json.ResourceKeys;
import io.margay.datastore.json.WholeDocuments;
import io.margay.ipam.IpamKeys;
import io.margay.ipam.care.IpamSettings;
import io.margay.ipam.care.NodeRemoval;
import io.margay.ipam.care.PoolRemoval;
import io.margay.model.resource.IPAMConfiguration;
import io.margay.model.resource.IPPool;
import io.margay.model.resource.Kind;
import io.margay.model.resource.Metadata;
import io.margay.model.resource.Resource;
import io.margay.model.resource.ResourceDefaults;
import io.margay.model.resource.ResourceRef;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Resources in the datastore: every write is a compare-and-swap, every refusal says why.
final class ResourceStore {

  /// Tries of one write while others keep changing the same object.
  static final int MAX_ATTEMPTS = 8;

  /// Kinds whose resources are emptied before they go.
  private static final Set<Kind> HOLDERS = EnumSet.of(Kind.NODE, Kind.IP_POOL);

  private static final WriteOutcome EXISTS = new WriteOutcome.Conflict("already exists");
  private static final WriteOutcome MISSING = new WriteOutcome.Refused("does not exist");
  private static final WriteOutcome LOST_RACE =
      new WriteOutcome.Conflict("changed meanwhile; get it again and repeat the change");
  private static final WriteOutcome OUTRUN =
      new WriteOutcome.Conflict(
          "others changed it " + MAX_ATTEMPTS + " times meanwhile; try again");

  private final Datastore datastore;
  private final InstantSource clock;

  ResourceStore(Datastore datastore, InstantSource clock) {
    this.datastore = datastore;
    this.clock = clock;
  }

  /// Kubernetes' documents that are stored as they are.
  WholeDocuments whole() {
    return new WholeDocuments(datastore);
  }

  /// Stores a resource that must not be there yet.
  WriteOutcome create(Resource resource) throws DatastoreException {
    return write(resource, null, metadata(resource, null), "created");
  }

  /// Replaces a resource that must be there, at the revision it names if it names one.
  WriteOutcome replace(Resource resource) throws DatastoreException {
    return put(resource, false);
  }

  /// Makes the store hold the resource, whether it was there or not.
  WriteOutcome apply(Resource resource) throws DatastoreException {
    return put(resource, true);
  }

  private WriteOutcome put(Resource resource, boolean mayCreate) throws DatastoreException {
    for (int attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      Optional<KeyValue> stored = stored(resource.ref());
      if (stored.isEmpty() && !mayCreate) {
        return MISSING;
      }
      WriteOutcome outcome =
          write(
              resource,
              stored.orElse(null),
              metadata(resource, stored.orElse(null)),
              stored.isEmpty() ? "created" : "replaced");
      boolean lostRace = outcome.equals(LOST_RACE) || stored.isEmpty() && outcome.equals(EXISTS);
      if (!lostRace || resource.metadata().resourceVersion() != null) {
        return outcome;
      }
    }
    return OUTRUN;
  }

  /// A change of what is stored, worked out anew when somebody else was faster.
  @FunctionalInterface
  interface Change {

    /// What `stored` is to become.
    ///
    /// @throws RefusedException if it can't
    Resource of(Resource stored) throws RefusedException;
  }

  /// Why a change can't be made.
  static final class RefusedException extends Exception {
    private static final long serialVersionUID = 1L;

    private final transient WriteOutcome outcome;

    RefusedException(WriteOutcome outcome) {
      super("refused");
      this.outcome = outcome;
    }

    WriteOutcome outcome() {
      return outcome;
    }
  }

  /// Changes a resource that must be there.
  ///
  /// @param verb what will have been done: `patched`
  WriteOutcome change(ResourceRef ref, Change change, String verb) throws DatastoreException {
    for (int attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      Optional<KeyValue> stored = stored(ref);
      if (stored.isEmpty()) {
        return MISSING;
      }
      Resource before = previous(stored.get());
      if (before == null) {
        return new WriteOutcome.Refused("is stored, but is not valid; get it, then replace it");
      }
      Resource wanted;
      try {
        wanted = change.of(before);
      } catch (RefusedException refused) {
        return refused.outcome();
      }
      Metadata metadata = StoredMetadata.replaced(wanted.metadata(), before.metadata());
      WriteOutcome outcome = write(wanted, stored.get(), metadata, verb);
      if (!outcome.equals(LOST_RACE)) {
        return outcome;
      }
    }
    return OUTRUN;
  }

  private WriteOutcome write(
      Resource given, @Nullable KeyValue stored, Metadata metadata, String verb)
      throws DatastoreException {
    if (!given.kind().isStoredAsResource()) {
      return new WriteOutcome.Refused("is the allocator's to write; it can only be got");
    }
    Resource wanted = ResourceDefaults.withDefaults(given).withMetadata(metadata);
    // Some defaults are labels.
    wanted = ResourceDefaults.withDefaults(wanted);
    String version = given.metadata().resourceVersion();
    if (stored != null && version != null && !version.equals(versionOf(stored))) {
      return new WriteOutcome.Conflict(stale(stored, version));
    }
    Optional<WriteOutcome> refusal = StoreRules.refusal(wanted, previous(stored), this);
    if (refusal.isPresent()) {
      return refusal.get();
    }
    String value = ResourceJson.encode(wanted);
    Txn.Builder txn = Txn.builder().put(ResourceKeys.key(wanted), value);
    boolean isFollowed =
        !(wanted instanceof IPAMConfiguration settings)
            || IpamSettings.follow(datastore, settings.spec(), txn);
    if (stored != null && stored.value().equals(value) && isFollowed) {
      return new WriteOutcome.Unchanged();
    }
    if (stored == null) {
      txn.ifAbsent(ResourceKeys.key(wanted));
    } else {
      txn.ifAtRevision(stored.key(), stored.modRevision());
    }
    TierGuard.onWrite(wanted, txn);
    return switch (datastore.commit(txn.build())) {
      case CommitResult.Committed _ -> new WriteOutcome.Done(verb);
      case CommitResult.Conflict _ -> stored == null ? EXISTS : LOST_RACE;
    };
  }

  private static String versionOf(KeyValue stored) {
    return Long.toString(stored.modRevision());
  }

  private static String stale(KeyValue stored, String version) {
    return "is at resourceVersion "
        + versionOf(stored)
        + ", not "
        + version
        + "; get it again and repeat the change";
  }

  private Metadata metadata(Resource given, @Nullable KeyValue stored) {
    Resource before = previous(stored);
    return before == null
        ? StoredMetadata.created(given.metadata(), clock.instant().truncatedTo(ChronoUnit.SECONDS))
        : StoredMetadata.merged(given.metadata(), before.metadata());
  }

  private static @Nullable Resource previous(@Nullable KeyValue stored) {
    return stored == null
        ? null
        : ResourceJson.decode(stored.key(), stored.value(), stored.modRevision())
            .map(decoded -> decoded instanceof Decoded.Valid(Resource valid) ? valid : null)
            .orElse(null);
  }

  /// Deletes a resource, at `resourceVersion` if one is given. What hangs on it goes first: a
  /// node's endpoints, addresses and blocks, a pool's blocks.
  ///
  /// @param evenIfUsed although a node's agent is alive, or a pool's addresses are in use
  WriteOutcome delete(ResourceRef ref, @Nullable String resourceVersion, boolean evenIfUsed)
      throws DatastoreException {
    boolean isCleared = false;
    String version = resourceVersion;
    for (int attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      List<KeyValue> parts = parts(ref);
      if (parts.isEmpty()) {
        return MISSING;
      }
      KeyValue current = parts.getFirst();
      if (version != null && !version.equals(versionOf(current))) {
        String reason = stale(current, version);
        return new WriteOutcome.Conflict(
            isCleared ? reason + "; what hung on it has been removed already" : reason);
      }
      Txn.Builder txn = Txn.builder();
      Optional<WriteOutcome> refusal = StoreRules.deletionRefusal(ref, this, txn);
      boolean isToClear = !isCleared && HOLDERS.contains(ref.kind());
      if (refusal.isEmpty() && isToClear) {
        refusal = clear(ref, evenIfUsed);
      }
      if (refusal.isPresent()) {
        return refusal.get();
      }
      if (isToClear) {
        isCleared = true;
        version = version == null ? null : versionOf(cleared(ref, current));
        continue;
      }
      parts.forEach(part -> txn.ifAtRevision(part.key(), part.modRevision()).delete(part.key()));
      if (datastore.commit(txn.build()) instanceof CommitResult.Committed) {
        return new WriteOutcome.Done("deleted");
      }
    }
    return OUTRUN;
  }

  /// What a resource has become by [#clear]; what it was before, if others have changed it too.
  private KeyValue cleared(ResourceRef ref, KeyValue before) throws DatastoreException {
    return previous(before) instanceof IPPool pool
        ? stored(ref)
            .filter(now -> now.value().equals(ResourceJson.encode(PoolRemoval.disabled(pool))))
            .orElse(before)
        : before;
  }

  private Optional<WriteOutcome> clear(ResourceRef ref, boolean evenIfUsed)
      throws DatastoreException {
    return switch (ref.kind()) {
      case NODE ->
          switch (NodeRemoval.run(datastore, clock, ref.name(), evenIfUsed)) {
            case NodeRemoval.Result.Refused(String reason) -> refused(reason);
            case NodeRemoval.Result.Unfinished unfinished -> refused(unfinished(unfinished));
            case NodeRemoval.Result.Done _ -> Optional.empty();
          };
      case IP_POOL ->
          switch (PoolRemoval.run(datastore, ref.name(), evenIfUsed)) {
            case PoolRemoval.Result.Refused(String reason) -> refused(reason);
            case PoolRemoval.Result.Done _ -> Optional.empty();
          };
      default -> Optional.empty();
    };
  }

  private static String unfinished(NodeRemoval.Result.Unfinished unfinished) {
    StringBuilder text = new StringBuilder();
    text.append(unfinished.endpoints())
        .append(" endpoints, ")
        .append(unfinished.addresses())
        .append(" addresses and ")
        .append(unfinished.blocks())
        .append(" blocks are gone; it stays, for documents of it can't be read. Put them right and")
        .append(" delete it again:");
    unfinished.left().forEach(document -> text.append("\n  ").append(document.sentence()));
    return text.toString();
  }

  private static Optional<WriteOutcome> refused(String reason) {
    return Optional.of(new WriteOutcome.Conflict(reason));
  }

  /// The keys that hold a resource; of the allocator's settings there are two.
  private List<KeyValue> parts(ResourceRef ref) throws DatastoreException {
    List<KeyValue> parts = new ArrayList<>();
    stored(ref).ifPresent(parts::add);
    if (ref.equals(IpamSettings.REF)) {
      datastore.get(IpamKeys.CONFIG).ifPresent(parts::add);
    }
    return parts;
  }

  /// What is under a resource's key; nothing where its kind has none.
  private Optional<KeyValue> stored(ResourceRef ref) throws DatastoreException {
    return ref.kind().isStoredAsResource()
        ? datastore.get(ResourceKeys.key(ref))
        : Optional.empty();
  }

  Optional<Decoded> get(ResourceRef ref) throws DatastoreException {
    return (ref.equals(IpamSettings.REF) ? settings(stored(ref)) : stored(ref))
        .flatMap(item -> ResourceJson.decode(item.key(), item.value(), item.modRevision()));
  }

  /// Finds out within the limit of a short call that the store is gone; a listing has a long one.
  void requireAnswer() throws DatastoreException {
    try {
      datastore.get(ResourceKeys.key(ResourceRef.global(Kind.CLUSTER_INFORMATION, "default")));
    } catch (DatastoreException failure) {
      // A role that may not read this key may read others.
      if (failure.kind() != DatastoreException.Kind.UNAUTHORISED) {
        throw failure;
      }
    }
  }

  /// The stored documents of a kind, in one namespace unless `namespace` is null, in key order.
  Listing listing(Kind kind, @Nullable String namespace) throws DatastoreException {
    if (kind == Kind.IPAM_CONFIGURATION) {
      Listing raw = listing(ResourceKeys.prefix(kind));
      String key = ResourceKeys.key(IpamSettings.REF);
      List<KeyValue> items = new ArrayList<>(raw.items());
      Optional<KeyValue> stored = items.stream().filter(item -> item.key().equals(key)).findAny();
      items.removeIf(item -> item.key().equals(key));
      settings(stored).ifPresent(items::add);
      return new Listing(raw.store(), raw.revision(), items);
    }
    return listing(
        namespace == null || !kind.isNamespaced()
            ? ResourceKeys.prefix(kind)
            : ResourceKeys.prefix(kind, namespace));
  }

  /// The allocator's settings as they are in force, whoever wrote them, under the resource's key.
  private Optional<KeyValue> settings(Optional<KeyValue> resource) throws DatastoreException {
    Optional<KeyValue> document = datastore.get(IpamKeys.CONFIG);
    if (document.isEmpty()) {
      return resource;
    }
    Optional<IPAMConfiguration> stored =
        previous(resource.orElse(null)) instanceof IPAMConfiguration valid
            ? Optional.of(valid)
            : Optional.empty();
    return IpamSettings.inForce(stored, document.map(KeyValue::value))
        .map(
            shown ->
                new KeyValue(
                    ResourceKeys.key(IpamSettings.REF),
                    ResourceJson.encode(shown),
                    resource.orElse(document.get()).modRevision()));
  }

  /// Everything under a folder's key.
  Listing listing(String prefix) throws DatastoreException {
    return datastore.list(prefix);
  }

  /// Everything of a kind, in one namespace unless `namespace` is null, in key order.
  List<Decoded> list(Kind kind, @Nullable String namespace) throws DatastoreException {
    List<Decoded> found = new ArrayList<>();
    if (!kind.isStoredAsResource()) {
      return found;
    }
    for (KeyValue item : listing(kind, namespace).items()) {
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
