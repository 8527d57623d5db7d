package io.margay.agent.cni;

import io.margay.cni.journal.Attachment;
import io.margay.cni.journal.AttachmentJournal;
import io.margay.cni.journal.Duty;
import io.margay.cni.journal.JournalEntry;
import io.margay.cni.spec.AttachmentId;
import io.margay.datastore.CommitResult;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Txn;
import io.margay.datastore.json.Decoded;
import io.margay.datastore.json.ResourceJson;
import io.margay.datastore.json.ResourceKeys;
import io.margay.ipam.AssignIpRequest;
import io.margay.ipam.AssignResult;
import io.margay.ipam.Ipam;
import io.margay.ipam.SameTxn;
import io.margay.model.net.IpAddress;
import io.margay.model.net.Prefix;
import io.margay.model.resource.ResourceRef;
import io.margay.model.resource.WorkloadEndpoint;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Tells the datastore again of pods that live and that it has forgotten: it was restored from a
/// backup made before they were wired, or somebody removed their endpoints. The address and the
/// endpoint are written in one transaction, as at ADD; the pod keeps what it has meanwhile.
///
/// Goes on until it is done or the pod is gone. An address that somebody else holds by now stays
/// his: that is said, and tried again, since he may be a pod of the backup that is gone as well.
public final class EndpointRestorer implements AutoCloseable {

  /// How long one that could not be written waits.
  public static final Duration RETRY = Duration.ofSeconds(2);

  /// How often an endpoint may change under us before it waits.
  static final int MAX_ATTEMPTS = 5;

  private static final Logger LOG = LoggerFactory.getLogger(EndpointRestorer.class);

  private final String node;
  private final Datastore datastore;
  private final Ipam ipam;
  private final AttachmentJournal journal;
  private final EndpointDirectory directory;
  private final BooleanSupplier isReady;
  private final InstantSource clock;
  private final Duration retry;
  private final Map<AttachmentId, Optional<WorkloadEndpoint>> lost = new ConcurrentHashMap<>();
  private final AtomicBoolean isScheduled = new AtomicBoolean();
  private final Set<AttachmentId> blamed = ConcurrentHashMap.newKeySet();
  private final ScheduledThreadPoolExecutor thread;

  /// @param isReady whether the datastore is there and not locked for a migration
  public EndpointRestorer(
      String node,
      Datastore datastore,
      Ipam ipam,
      AttachmentJournal journal,
      EndpointDirectory directory,
      BooleanSupplier isReady,
      InstantSource clock) {
    this(node, datastore, ipam, journal, directory, isReady, clock, RETRY);
  }

  EndpointRestorer(
      String node,
      Datastore datastore,
      Ipam ipam,
      AttachmentJournal journal,
      EndpointDirectory directory,
      BooleanSupplier isReady,
      InstantSource clock,
      Duration retry) {
    this.node = node;
    this.datastore = datastore;
    this.ipam = ipam;
    this.journal = journal;
    this.directory = directory;
    this.isReady = isReady;
    this.clock = clock;
    this.retry = retry;
    this.thread =
        new ScheduledThreadPoolExecutor(
            1, Thread.ofPlatform().daemon().name("endpoint-restorer").factory());
    thread.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
  }

  /// Whether an endpoint is that of a pod this node has wired and not unwired, with the addresses
  /// it has. From any thread.
  public boolean isWired(WorkloadEndpoint endpoint) {
    return wired(endpoint).isPresent();
  }

  private Optional<JournalEntry.Committed> wired(WorkloadEndpoint endpoint) {
    return Attachment.of(endpoint)
        .flatMap(journal::find)
        .filter(JournalEntry.Committed.class::isInstance)
        .map(JournalEntry.Committed.class::cast)
        .filter(committed -> committed.attachment().hasHostEnd())
        .filter(committed -> endpoint.spec().ipNetworks().containsAll(prefixes(committed)));
  }

  private static List<Prefix> prefixes(JournalEntry.Committed committed) {
    return committed.addresses().stream().map(IpAddress::toHostPrefix).toList();
  }

  /// After the first complete state: pods of the journal, wired since the machine started, that it
  /// lacks are looked for in the last known good state, which an earlier process left, and go on as
  /// they are there.
  ///
  /// @param known the endpoint of an attachment, if there is one now
  /// @param lastKnown read only when something is lacking
  /// @param handIn told of each endpoint that is in force from now on
  public void restoreLacking(
      Function<AttachmentId, Optional<ResourceRef>> known,
      Supplier<List<KeyValue>> lastKnown,
      Consumer<WorkloadEndpoint> handIn) {
    Map<AttachmentId, Attachment> lacking = new HashMap<>();
    for (JournalEntry entry : journal.all()) {
      Attachment attachment = entry.attachment();
      if (entry instanceof JournalEntry.Committed committed
          && committed.bootId().equals(journal.bootId())
          && attachment.hasHostEnd()
          && known.apply(attachment.id()).isEmpty()) {
        lacking.put(attachment.id(), attachment);
      }
    }
    if (lacking.isEmpty()) {
      return;
    }
    for (KeyValue item : lastKnown.get()) {
      if (ResourceJson.decode(item.key(), item.value(), item.modRevision()).orElse(null)
              instanceof Decoded.Valid(WorkloadEndpoint endpoint)
          && node.equals(endpoint.spec().node())) {
        wired(endpoint)
            .filter(committed -> lacking.remove(committed.attachment().id()) != null)
            .ifPresent(
                _ -> {
                  handIn.accept(endpoint);
                  restore(endpoint);
                });
      }
    }
    lacking.keySet().forEach(EndpointRestorer::tellUnknown);
  }

  private static void tellUnknown(AttachmentId id) {
    LOG.atError()
        .addKeyValue("attachment", id)
        .log(
            "neither the datastore nor the last known good state has the endpoint of a pod that"
                + " lives; it stays closed until it is wired anew");
  }

  /// The datastore has lost this endpoint. From any thread; never blocks.
  public void restore(WorkloadEndpoint endpoint) {
    wired(endpoint)
        .ifPresent(
            committed -> {
              LOG.atWarn()
                  .addKeyValue("endpoint", endpoint.ref())
                  .addKeyValue("attachment", committed.attachment().id())
                  .log(
                      "the datastore has lost the endpoint of a pod that lives; it is written"
                          + " again");
              lost.put(committed.attachment().id(), Optional.of(endpoint));
              schedule(Duration.ZERO);
            });
  }

  /// The store is another: addresses that were given without an endpoint are asked for again, too.
  /// From any thread; never blocks.
  public void onReplaced() {
    for (JournalEntry entry : journal.all()) {
      if (entry instanceof JournalEntry.Committed committed
          && !committed.attachment().hasHostEnd()) {
        lost.putIfAbsent(committed.attachment().id(), Optional.empty());
        schedule(Duration.ZERO);
      }
    }
  }

  private void schedule(Duration delay) {
    if (isScheduled.compareAndSet(false, true)) {
      try {
        thread.schedule(this::round, delay.toMillis(), TimeUnit.MILLISECONDS);
      } catch (RejectedExecutionException closed) {
        // The next start finds what is left to do.
      }
    }
  }

  private void round() {
    isScheduled.set(false);
    try {
      boolean waits = false;
      for (Map.Entry<AttachmentId, Optional<WorkloadEndpoint>> entry :
          Map.copyOf(lost).entrySet()) {
        if (isReady.getAsBoolean() && settled(entry.getKey(), entry.getValue())) {
          lost.remove(entry.getKey(), entry.getValue());
          blamed.remove(entry.getKey());
        } else {
          waits = true;
        }
      }
      if (waits) {
        schedule(retry);
      }
    } catch (RuntimeException bug) {
      LOG.atError().setCause(bug).log("lost endpoints can't be written; it is repeated");
      schedule(retry);
    }
  }

  /// @param endpoint empty for addresses that no endpoint goes with
  /// @return whether nothing is left to do
  private boolean settled(AttachmentId id, Optional<WorkloadEndpoint> endpoint) {
    JournalEntry entry = journal.find(id).orElse(null);
    if (!(entry instanceof JournalEntry.Committed committed)
        || (endpoint.isPresent() && !isWired(endpoint.get()))) {
      return true; // unwired meanwhile: its release finds what there is
    }
    try {
      Optional<String> problem =
          endpoint.isPresent()
              ? write(endpoint.get(), committed)
              : problemOf(assign(committed, SameTxn.nothing()));
      if (problem.isPresent() && blamed.add(id)) {
        LOG.atError()
            .addKeyValue("attachment", id)
            .addKeyValue("problem", problem.get())
            .log("the datastore does not take back a pod that lives; it is asked again");
      }
      return problem.isEmpty();
    } catch (DatastoreException away) {
      return false;
    }
  }

  private static Optional<String> problemOf(AssignResult result) {
    return switch (result) {
      case AssignResult.Assigned _ -> Optional.empty();
      case AssignResult.Unavailable(IpAddress address, String reason) ->
          Optional.of("address " + address + ": " + reason);
      case AssignResult.ExtraConflict _,
          AssignResult.NoPool _,
          AssignResult.PoolExhausted _,
          AssignResult.BlockLimit _ ->
          throw new IllegalStateException("of an address asked for by name: " + result);
    };
  }

  /// @return why it was not taken
  private Optional<String> write(WorkloadEndpoint endpoint, JournalEntry.Committed committed)
      throws DatastoreException {
    String key = ResourceKeys.key(endpoint);
    Txn.Condition unchanged = new Txn.Condition.Absent(key);
    for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      AssignResult result = assign(committed, document(endpoint, unchanged));
      if (result instanceof AssignResult.Assigned(var _, long revision)) {
        directory.onCommitted(committed.attachment().id(), endpoint, revision);
        return Optional.empty();
      }
      if (!(result instanceof AssignResult.ExtraConflict(Map<String, KeyValue> current))) {
        return problemOf(result);
      }
      KeyValue there = current.get(key);
      if (there != null && isSame(there)) {
        return Optional.empty();
      }
      unchanged =
          there == null
              ? new Txn.Condition.Absent(key)
              : new Txn.Condition.AtRevision(key, there.modRevision());
    }
    return Optional.of(key + " keeps changing");
  }

  /// All addresses of an attachment that are of this cluster's pools, and something else with the
  /// last of them.
  private AssignResult assign(JournalEntry.Committed committed, SameTxn sameTxn)
      throws DatastoreException {
    Attachment attachment = committed.attachment();
    List<IpAddress> addresses = ours(committed);
    if (addresses.isEmpty()) {
      return commit(sameTxn.with(List.of()));
    }
    Map<String, String> attributes = WishAssigner.attributes(node, clock, attachment);
    AssignResult result = new AssignResult.Assigned(List.of(), 0);
    for (int i = 0; i < addresses.size() && result instanceof AssignResult.Assigned; i++) {
      result =
          ipam.assignIp(
              new AssignIpRequest(
                  addresses.get(i),
                  attachment.handleId(),
                  node,
                  attributes,
                  i + 1 < addresses.size() ? SameTxn.nothing() : sameTxn));
    }
    return result;
  }

  private static List<IpAddress> ours(JournalEntry.Committed committed) {
    return switch (committed.attachment().duty()) {
      case Duty.Whole _, Duty.Addresses _, Duty.Stepwise _ -> committed.addresses();
      case Duty.Policed(boolean overAddresses) -> overAddresses ? committed.addresses() : List.of();
      case Duty.Delegated _ -> List.of();
    };
  }

  private AssignResult commit(SameTxn.Extras extras) throws DatastoreException {
    Txn.Builder txn = Txn.builder();
    extras.conditions().forEach(txn::add);
    extras.writes().forEach(txn::add);
    return switch (datastore.commit(txn.build())) {
      case CommitResult.Committed(long revision) -> new AssignResult.Assigned(List.of(), revision);
      case CommitResult.Conflict(long _, Map<String, KeyValue> current) ->
          new AssignResult.ExtraConflict(current);
    };
  }

  private static SameTxn document(WorkloadEndpoint endpoint, Txn.Condition unchanged) {
    return _ ->
        new SameTxn.Extras(
            List.of(unchanged),
            List.of(new Txn.Write.Put(ResourceKeys.key(endpoint), ResourceJson.encode(endpoint))));
  }

  /// Whether what is stored is what is to be: an ADD that was repeated has written it.
  private boolean isSame(KeyValue stored) {
    return ResourceJson.decode(stored.key(), stored.value(), stored.modRevision()).orElse(null)
            instanceof Decoded.Valid(WorkloadEndpoint there)
        && isWired(there);
  }

  @Override
  public void close() {
    thread.shutdownNow();
  }
}
