package io.margay.datastore;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/// The whole contract in one process, with history and compaction; for tests. Watches are served on
/// one thread of the store's own, so a listener never runs inside somebody's `commit`.
public final class InMemoryDatastore implements Datastore, Leases {

  private static final String ENDPOINT = "memory";
  private static final AtomicInteger STORES = new AtomicInteger();

  private record Revision(long number, List<Change> changes) {

    void on(Map<String, KeyValue> items) {
      for (Change change : changes) {
        switch (change) {
          case Change.Put(KeyValue item) -> items.put(item.key(), item);
          case Change.Delete(String key, long _) -> items.remove(key);
        }
      }
    }
  }

  private final NavigableMap<String, KeyValue> items = new TreeMap<>(Utf8.ORDER);

  /// What was there before the history we keep.
  private final NavigableMap<String, KeyValue> base = new TreeMap<>(Utf8.ORDER);

  private final List<Revision> history = new ArrayList<>();
  private final List<MemoryWatch> watches = new ArrayList<>();
  private final ExecutorService deliveries =
      Executors.newSingleThreadExecutor(
          Thread.ofPlatform().daemon().name("in-memory-datastore").factory());
  private final Map<Long, Set<String>> leases = new HashMap<>();
  private long lastLease;
  private final StoreId id;
  private long revision;
  private long compacted;
  private boolean closed;

  public InMemoryDatastore() {
    this(new StoreId("memory-" + STORES.incrementAndGet(), 1), 1, List.of());
  }

  /// A store that goes on where an earlier one ended; its history starts now.
  ///
  /// @param revision at least the highest of `items`
  public InMemoryDatastore(StoreId id, long revision, List<KeyValue> items) {
    this.id = id;
    this.revision = revision;
    this.compacted = items.isEmpty() && revision == 1 ? 0 : revision;
    items.forEach(item -> this.items.put(item.key(), item));
    base.putAll(this.items);
  }

  @Override
  public synchronized Optional<KeyValue> get(String key) throws DatastoreException {
    requireOpen();
    return Optional.ofNullable(items.get(key));
  }

  @Override
  public synchronized Listing getAll(List<String> keys) throws DatastoreException {
    if (keys.isEmpty() || keys.size() > Txn.MAX_OPERATIONS) {
      throw new IllegalArgumentException(
          "reading " + keys.size() + " keys at once; expected 1 to " + Txn.MAX_OPERATIONS);
    }
    requireOpen();
    List<KeyValue> found = new ArrayList<>();
    for (String key : keys) {
      KeyValue item = items.get(key);
      if (item != null) {
        found.add(item);
      }
    }
    return new Listing(id, revision, found);
  }

  @Override
  public synchronized Listing list(String prefix) throws DatastoreException {
    requireOpen();
    return new Listing(id, revision, under(items, prefix, "", Integer.MAX_VALUE));
  }

  @Override
  public synchronized Listing page(String prefix, String after, int limit, long atRevision)
      throws DatastoreException {
    requireOpen();
    if (atRevision == 0 || atRevision == revision) {
      return new Listing(id, revision, under(items, prefix, after, limit));
    }
    if (atRevision < compacted || atRevision > revision) {
      throw new DatastoreException(
          DatastoreException.Kind.INVALID,
          ENDPOINT,
          "revision " + atRevision + " of " + prefix + " is compacted away or in the future");
    }
    NavigableMap<String, KeyValue> then = new TreeMap<>(base);
    history.stream().filter(past -> past.number <= atRevision).forEach(past -> past.on(then));
    return new Listing(id, atRevision, under(then, prefix, after, limit));
  }

  private static List<KeyValue> under(
      NavigableMap<String, KeyValue> items, String prefix, String after, int limit) {
    List<KeyValue> found = new ArrayList<>();
    boolean fromFirst = Utf8.ORDER.compare(after, prefix) < 0;
    for (KeyValue item : items.tailMap(fromFirst ? prefix : after, fromFirst).values()) {
      if (found.size() == limit || !item.key().startsWith(prefix)) {
        break;
      }
      found.add(item);
    }
    return found;
  }

  @Override
  public synchronized CommitResult commit(Txn txn) throws DatastoreException {
    requireOpen();
    requireAcceptable(txn);
    for (Txn.Condition condition : txn.conditions()) {
      if (!holds(condition)) {
        return new CommitResult.Conflict(revision, currentOf(txn.conditions()));
      }
    }
    List<Change> changes = new ArrayList<>();
    long next = revision + 1;
    for (Txn.Write write : txn.writes()) {
      switch (write) {
        case Txn.Write.Put(String key, String value) -> {
          KeyValue item = new KeyValue(key, value, next);
          items.put(key, item);
          changes.add(new Change.Put(item));
        }
        case Txn.Write.Delete(String key) -> {
          if (items.remove(key) != null) {
            changes.add(new Change.Delete(key, next));
          }
        }
      }
    }
    if (!changes.isEmpty()) {
      revision = next;
      Revision made = new Revision(next, List.copyOf(changes));
      history.add(made);
      watches.forEach(watch -> watch.offer(made));
    }
    return new CommitResult.Committed(revision);
  }

  @Override
  public synchronized long grant(Duration ttl) throws DatastoreException {
    requireOpen();
    leases.put(++lastLease, new HashSet<>());
    return lastLease;
  }

  @Override
  public synchronized boolean keepAlive(long lease) throws DatastoreException {
    requireOpen();
    return leases.containsKey(lease);
  }

  @Override
  public synchronized boolean write(long lease, List<Txn.Write> writes) throws DatastoreException {
    requireOpen();
    Set<String> keys = leases.get(lease);
    if (keys == null) {
      return false;
    }
    commit(new Txn(List.of(), writes));
    for (Txn.Write write : writes) {
      // A key is of the lease that put it last.
      leases.values().forEach(others -> others.remove(write.key()));
      if (write instanceof Txn.Write.Put) {
        keys.add(write.key());
      }
    }
    return true;
  }

  @Override
  public synchronized void revoke(long lease) throws DatastoreException {
    requireOpen();
    Set<String> keys = leases.remove(lease);
    if (keys != null && !keys.isEmpty()) {
      commit(
          new Txn(
              List.of(), keys.stream().map(key -> (Txn.Write) new Txn.Write.Delete(key)).toList()));
    }
  }

  /// Ends every lease as if nobody had kept it alive: this store has no clock.
  public synchronized void expireLeases() throws DatastoreException {
    for (long lease : List.copyOf(leases.keySet())) {
      revoke(lease);
    }
  }

  private static void requireAcceptable(Txn txn) throws DatastoreException {
    long octets = txn.octets();
    if (octets > Txn.MAX_OCTETS) {
      throw new DatastoreException(
          DatastoreException.Kind.INVALID,
          ENDPOINT,
          "a transaction of "
              + octets
              + " octets is beyond the limit of "
              + Txn.MAX_OCTETS
              + "; split it");
    }
  }

  private boolean holds(Txn.Condition condition) {
    KeyValue item = items.get(condition.key());
    return switch (condition) {
      case Txn.Condition.Absent _ -> item == null;
      case Txn.Condition.Exists _ -> item != null;
      case Txn.Condition.AtRevision at -> item != null && item.modRevision() == at.modRevision();
      case Txn.Condition.Unchanged(String prefix, long since) ->
          under(items, prefix, "", Integer.MAX_VALUE).stream()
              .allMatch(below -> below.modRevision() <= since);
    };
  }

  private Map<String, KeyValue> currentOf(List<Txn.Condition> conditions) {
    Map<String, KeyValue> current = new HashMap<>();
    for (Txn.Condition condition : conditions) {
      KeyValue item = items.get(condition.key());
      if (item != null) {
        current.put(item.key(), item);
      }
    }
    return current;
  }

  @Override
  public synchronized Watch watch(String prefix, long fromRevision, WatchListener listener) {
    MemoryWatch watch = new MemoryWatch(prefix, fromRevision, listener);
    if (closed) {
      watch.end(new WatchListener.WatchEnd.Failed(unreachable()));
    } else if (fromRevision <= compacted) {
      watch.end(new WatchListener.WatchEnd.Compacted(compacted));
    } else {
      watches.add(watch);
      long seen = revision;
      watch.post(() -> listener.onStarted(id, seen));
      history.forEach(watch::offer);
      watch.post(() -> listener.onProgress(seen));
    }
    return watch;
  }

  /// Forgets history up to and including this revision, as etcd's compaction does: later watches
  /// from there end with `Compacted`; running ones go on.
  public synchronized void compact(long upToRevision) {
    if (upToRevision > revision) {
      throw new IllegalArgumentException(
          "revision " + upToRevision + " is in the future; now is " + revision);
    }
    compacted = upToRevision;
    history.stream().filter(past -> past.number <= upToRevision).forEach(past -> past.on(base));
    history.removeIf(past -> past.number <= upToRevision);
  }

  /// Ends every running watch as a broken connection would.
  public synchronized void cutWatches() {
    List.copyOf(watches)
        .forEach(watch -> watch.end(new WatchListener.WatchEnd.Failed(unreachable())));
  }

  /// The revision of the latest change.
  public synchronized long revision() {
    return revision;
  }

  @Override
  public synchronized void close() {
    closed = true;
    watches.clear();
    deliveries.shutdownNow();
  }

  private void requireOpen() throws DatastoreException {
    if (closed) {
      throw unreachable();
    }
  }

  private static DatastoreException unreachable() {
    return new DatastoreException(
        DatastoreException.Kind.UNREACHABLE, ENDPOINT, "the in-memory store is closed or cut");
  }

  private synchronized boolean isRunning(MemoryWatch watch) {
    return watches.contains(watch);
  }

  private synchronized void forget(MemoryWatch watch) {
    watches.remove(watch);
  }

  /// Everything a watch still has to say, in order, on the delivery thread.
  private final class MemoryWatch implements Watch {
    private final String prefix;
    private final long fromRevision;
    private final WatchListener listener;

    MemoryWatch(String prefix, long fromRevision, WatchListener listener) {
      this.prefix = prefix;
      this.fromRevision = fromRevision;
      this.listener = listener;
    }

    void offer(Revision made) {
      if (made.number < fromRevision) {
        return;
      }
      List<Change> wanted =
          made.changes.stream().filter(change -> change.key().startsWith(prefix)).toList();
      if (!wanted.isEmpty()) {
        post(() -> listener.onChanges(wanted));
      }
    }

    void post(Runnable delivery) {
      deliveries.execute(
          () -> {
            if (isRunning(this)) {
              delivery.run();
            }
          });
    }

    void end(WatchListener.WatchEnd end) {
      forget(this);
      if (!deliveries.isShutdown()) {
        deliveries.execute(() -> listener.onEnd(end));
      }
    }

    @Override
    public void close() {
      forget(this);
    }
  }
}
