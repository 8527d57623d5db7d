package io.margay.ipam;

import io.margay.datastore.CommitResult;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Listing;
import io.margay.datastore.Txn;
import io.margay.ipam.Operation.Read;
import io.margay.ipam.Operation.Step;
import io.margay.ipam.Operation.View;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.function.Supplier;

/// The one writer: takes whatever operations wait, plans them into one transaction, commits it,
/// answers. While a commit is under way the next group gathers, so under load many callers share a
/// round trip and alone nobody waits.
final class Committer implements AutoCloseable {

  /// Operations in one transaction: each may need three of its 128 writes, and the blocks a few.
  static final int MAX_GROUP = 40;

  /// Operations waiting; beyond that callers are turned away.
  static final int MAX_WAITING = 2048;

  /// Plans per operation before giving up; Calico's own number of retries.
  static final int MAX_ATTEMPTS = 100;

  private final Datastore datastore;
  private final Supplier<View> view;
  private final BlockCache cache = new BlockCache();
  private final BlockingQueue<Operation<?>> arrivals = new ArrayBlockingQueue<>(MAX_WAITING);
  private final Deque<Operation<?>> pending = new ArrayDeque<>();
  private final Thread thread;
  private long tick;
  private boolean alone;
  private volatile boolean stale;
  private volatile boolean closed;

  Committer(Datastore datastore, Supplier<View> view) {
    this.datastore = datastore;
    this.view = view;
    thread = Thread.ofPlatform().daemon().name("ipam-committer").unstarted(this::run);
  }

  void start() {
    thread.start();
  }

  /// @throws DatastoreException when too many wait already
  void submit(Operation<?> operation) throws DatastoreException {
    if (!closed && !arrivals.offer(operation)) {
      throw new DatastoreException(
          DatastoreException.Kind.OVERLOADED,
          "ipam",
          MAX_WAITING + " requests for addresses wait already; try again later");
    }
    // Looked at after the offer: whoever closes meanwhile may have emptied the queue before it.
    if (closed) {
      operation.result().completeExceptionally(closedFailure());
    }
  }

  private static DatastoreException closedFailure() {
    return new DatastoreException(DatastoreException.Kind.UNREACHABLE, "ipam", "IPAM is closed");
  }

  int waiting() {
    return arrivals.size();
  }

  /// Makes the next group read everything afresh: somebody else has changed blocks behind the
  /// cache's back.
  void distrust() {
    stale = true;
  }

  private void run() {
    try {
      while (!closed) {
        admit(arrivals.take());
        while (!pending.isEmpty() && !closed) {
          for (Operation<?> next = arrivals.peek();
              next != null && pending.size() < MAX_GROUP;
              next = arrivals.peek()) {
            admit(arrivals.remove());
          }
          round();
        }
        cache.endSurveys();
      }
    } catch (InterruptedException stop) {
      Thread.currentThread().interrupt();
    } finally {
      closed = true;
      arrivals.drainTo(pending);
      pending.forEach(operation -> operation.result().completeExceptionally(closedFailure()));
    }
  }

  /// Nothing is known any more, nor known to be absent.
  private void forgetAll() {
    cache.clear();
    pending.forEach(Operation::replan);
  }

  private void admit(Operation<?> operation) {
    operation.arrived(tick);
    pending.add(operation);
  }

  private void round() {
    if (stale) {
      stale = false;
      forgetAll();
    }
    BlockCache.Settings settings = cache.settings();
    if (settings == null || settings.unknown().isPresent()) {
      read(new Read.Keys(List.of(IpamKeys.CONFIG)), List.copyOf(pending));
    }
    View now = view.get();
    Plan plan = new Plan(cache);
    List<Operation<?>> planned = new ArrayList<>();
    Map<Read, List<Operation<?>>> reads = new HashMap<>();
    for (Iterator<Operation<?>> each = pending.iterator(); each.hasNext(); ) {
      Operation<?> operation = each.next();
      if (operation.result().isDone() || isHopeless(operation)) {
        each.remove();
        continue;
      }
      if (alone && !planned.isEmpty()) {
        break;
      }
      try {
        switch (operation.plan(now, plan)) {
          case Step.Planned(Plan next) -> {
            if (next.fits()) {
              plan = next;
              planned.add(operation);
            } else if (planned.isEmpty()) {
              operation.result().completeExceptionally(tooLarge());
              each.remove();
            }
          }
          case Step.Later() -> {}
          case Step.Finished() -> each.remove();
          case Step.Needs(Read read) ->
              reads.computeIfAbsent(read, _ -> new ArrayList<>()).add(operation);
        }
      } catch (UnreadableException unreadable) {
        operation.result().completeExceptionally(unusable(unreadable));
        cache.doubt(unreadable.document());
        each.remove();
      } catch (RuntimeException wrong) {
        operation.result().completeExceptionally(wrong);
        each.remove();
      }
    }
    if (!planned.isEmpty()) {
      commit(plan, planned);
    }
    reads.forEach(this::read);
  }

  static DatastoreException unusable(UnreadableException unreadable) {
    return new DatastoreException(
        DatastoreException.Kind.INVALID,
        "ipam",
        "nothing was changed: " + unreadable.document().sentence(),
        unreadable);
  }

  private static DatastoreException tooLarge() {
    return new DatastoreException(
        DatastoreException.Kind.INVALID,
        "ipam",
        "one request touches so many blocks that it needs more than the "
            + Txn.MAX_OPERATIONS
            + " operations of one transaction: ask for fewer addresses at a time");
  }

  private static boolean isHopeless(Operation<?> operation) {
    if (operation.nextAttempt() <= MAX_ATTEMPTS) {
      return false;
    }
    operation
        .result()
        .completeExceptionally(
            new DatastoreException(
                DatastoreException.Kind.OVERLOADED,
                "ipam",
                "no transaction held in "
                    + MAX_ATTEMPTS
                    + " attempts: other writers were always first"));
    return true;
  }

  private void commit(Plan plan, List<Operation<?>> planned) {
    try {
      tryCommit(plan, plan.toTxn(), planned);
    } catch (RuntimeException wrong) {
      // What the store answered can't be understood: these callers hear of it, later ones read
      // afresh.
      forgetAll();
      planned.forEach(operation -> operation.result().completeExceptionally(wrong));
      pending.removeAll(planned);
    }
  }

  private void tryCommit(Plan plan, Txn txn, List<Operation<?>> planned) {
    try {
      switch (datastore.commit(txn)) {
        case CommitResult.Committed(long revision) -> {
          plan.committed(revision);
          planned.forEach(operation -> operation.committed(revision));
          pending.removeAll(planned);
          alone = false;
        }
        case CommitResult.Conflict(long _, Map<String, KeyValue> current) -> {
          cache.learn(txn.conditions().stream().map(Txn.Condition::key).toList(), current);
          planned.forEach(operation -> settleConflict(operation, current));
        }
      }
    } catch (DatastoreException failed) {
      // Whether it was written or not is unknown: believe nothing about what it touched.
      forgetAll();
      if (failed.kind() == DatastoreException.Kind.INVALID && planned.size() > 1) {
        // One of them spoils it for all; let each show for itself.
        alone = true;
        return;
      }
      alone = false;
      planned.forEach(operation -> operation.result().completeExceptionally(failed));
      pending.removeAll(planned);
    }
  }

  private void settleConflict(Operation<?> operation, Map<String, KeyValue> current) {
    operation.replan();
    Map<String, KeyValue> seen = new HashMap<>();
    boolean broken = false;
    for (Txn.Condition condition : operation.extraConditions()) {
      Optional<KeyValue> item = Optional.ofNullable(current.get(condition.key()));
      item.ifPresent(found -> seen.put(found.key(), found));
      broken |= !holds(condition, item);
    }
    if (broken) {
      operation.refused(seen);
      pending.remove(operation);
    }
  }

  private static boolean holds(Txn.Condition condition, Optional<KeyValue> item) {
    return switch (condition) {
      case Txn.Condition.Absent _ -> item.isEmpty();
      case Txn.Condition.Exists _ -> item.isPresent();
      case Txn.Condition.AtRevision at ->
          item.isPresent() && item.get().modRevision() == at.modRevision();
      // A conflict does not show it: the caller may look again.
      case Txn.Condition.Unchanged _ -> false;
    };
  }

  private void read(Read read, List<Operation<?>> waiting) {
    try {
      switch (read) {
        case Read.Keys(List<String> keys) -> readKeys(keys);
        case Read.Node(String node) -> readNode(node);
        case Read.Survey(var family) ->
            cache.survey(
                family, ++tick, view.get().now(), datastore.list(IpamKeys.blocks(family)).items());
      }
    } catch (DatastoreException | IllegalArgumentException failed) {
      waiting.forEach(operation -> operation.result().completeExceptionally(failed));
      pending.removeAll(waiting);
    }
  }

  private void readKeys(List<String> keys) throws DatastoreException {
    for (int from = 0; from < keys.size(); from += Txn.MAX_OPERATIONS) {
      List<String> some = keys.subList(from, Math.min(keys.size(), from + Txn.MAX_OPERATIONS));
      Map<String, KeyValue> current = new HashMap<>();
      datastore.getAll(some).items().forEach(item -> current.put(item.key(), item));
      cache.learn(some, current);
    }
  }

  /// A node's claims and the blocks they name: two round trips, once.
  private void readNode(String node) throws DatastoreException {
    Listing claims = datastore.list(IpamKeys.affinities(node));
    cache.openNode(node, claims.items());
    Set<String> keys = new LinkedHashSet<>();
    for (KeyValue claim : claims.items()) {
      IpamKeys.affinityOf(claim.key()).ifPresent(key -> keys.add(IpamKeys.block(key.block())));
    }
    readKeys(List.copyOf(keys));
  }

  @Override
  public void close() {
    closed = true;
    thread.interrupt();
  }
}
