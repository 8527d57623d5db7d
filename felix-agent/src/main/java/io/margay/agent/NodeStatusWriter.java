package io.margay.agent;

import io.margay.datastore.CommitResult;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Txn;
import io.margay.datastore.json.Decoded;
import io.margay.datastore.json.ResourceJson;
import io.margay.datastore.json.ResourceKeys;
import io.margay.model.resource.CalicoNodeStatus;
import io.margay.model.resource.CalicoNodeStatusSpec;
import io.margay.model.resource.Kind;
import io.margay.model.resource.NodeStatusClass;
import io.margay.model.resource.ResourceRef;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Writes the status of the CalicoNodeStatus resources that name this node: when one is new or asks
/// for something else, and again each updatePeriodSeconds; 0 means once. One that could not be
/// written is tried again within seconds. Nobody waits for it.
final class NodeStatusWriter implements AutoCloseable {

  /// How often it is looked what is due.
  private static final Duration TICK = Duration.ofSeconds(1);

  /// How soon one that could not be written is tried again.
  static final Duration RETRY = Duration.ofSeconds(5);

  /// Writes tried while others keep changing the same resource.
  private static final int MAX_ATTEMPTS = 4;

  private static final Logger LOG = LoggerFactory.getLogger(NodeStatusWriter.class);

  private final String nodeName;
  private final Datastore datastore;
  private final Function<Set<NodeStatusClass>, Map<String, Object>> report;
  private final InstantSource steady;

  /// What is wanted, by the resource's name.
  private final Map<String, CalicoNodeStatusSpec> wanted = new ConcurrentHashMap<>();

  /// Of the thread alone: what was written when, and for which wish.
  private final Map<String, Written> written = new HashMap<>();

  private final Set<String> failing = ConcurrentHashMap.newKeySet();
  private final ScheduledThreadPoolExecutor thread =
      new ScheduledThreadPoolExecutor(
          1, Thread.ofPlatform().daemon().name("node-status").factory());

  private record Written(CalicoNodeStatusSpec spec, Instant at) {}

  /// @param report makes the report of some classes; may ask the speaker
  /// @param steady a clock that nobody sets
  NodeStatusWriter(
      String nodeName,
      Datastore datastore,
      Function<Set<NodeStatusClass>, Map<String, Object>> report,
      InstantSource steady) {
    this.nodeName = nodeName;
    this.datastore = datastore;
    this.report = report;
    this.steady = steady;
  }

  /// From now on reports are written.
  void start() {
    thread.scheduleWithFixedDelay(this::writeDue, 0, TICK.toMillis(), TimeUnit.MILLISECONDS);
  }

  /// Takes the current state of one resource; from any thread.
  ///
  /// @param value null when it does not exist
  void onUpdate(String name, @Nullable CalicoNodeStatus value) {
    if (value == null || !nodeName.equals(value.spec().node())) {
      wanted.remove(name);
    } else {
      wanted.put(name, value.spec());
    }
  }

  /// Writes what is due.
  void writeDue() {
    try {
      written.keySet().retainAll(wanted.keySet());
      failing.retainAll(wanted.keySet());
      Instant now = steady.instant();
      wanted.forEach(
          (name, spec) -> {
            if (isDue(name, spec, now)) {
              written.put(name, new Written(spec, now));
              write(name, spec);
            }
          });
    } catch (RuntimeException bug) {
      LOG.atError().setCause(bug).log("a CalicoNodeStatus can't be worked out; it is repeated");
    }
  }

  private boolean isDue(String name, CalicoNodeStatusSpec spec, Instant now) {
    Written last = written.get(name);
    if (last == null || !last.spec().equals(spec)) {
      return true;
    }
    if (failing.contains(name) && !now.isBefore(last.at().plus(RETRY))) {
      return true;
    }
    Integer period = spec.updatePeriodSeconds();
    return period != null && period > 0 && !now.isBefore(last.at().plusSeconds(period));
  }

  private void write(String name, CalicoNodeStatusSpec spec) {
    String key = ResourceKeys.key(new ResourceRef(Kind.CALICO_NODE_STATUS, "", name));
    Set<NodeStatusClass> classes =
        spec.classes().isEmpty()
            ? EnumSet.noneOf(NodeStatusClass.class)
            : EnumSet.copyOf(spec.classes());
    try {
      Map<String, Object> status = report.apply(classes);
      for (int attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
        Optional<KeyValue> stored = datastore.get(key);
        if (stored.isEmpty()
            || !(ResourceJson.decode(key, stored.get().value(), stored.get().modRevision())
                    .orElse(null)
                instanceof Decoded.Valid(CalicoNodeStatus current))) {
          failing.remove(name);
          return;
        }
        CalicoNodeStatus next =
            new CalicoNodeStatus(current.metadata(), current.spec(), status, current.unknown());
        if (datastore.commit(Txn.replace(stored.get(), ResourceJson.encode(next)))
            instanceof CommitResult.Committed) {
          failing.remove(name);
          return;
        }
      }
      failed(name, "others changed it " + MAX_ATTEMPTS + " times meanwhile");
    } catch (DatastoreException | IllegalStateException refused) {
      failed(name, String.valueOf(refused.getMessage()));
    }
  }

  private void failed(String name, String reason) {
    if (failing.add(name)) {
      LOG.atWarn()
          .addKeyValue("resource", "CalicoNodeStatus(" + name + ")")
          .addKeyValue("reason", reason)
          .addKeyValue("retrySeconds", RETRY.toSeconds())
          .log("a status can't be written; it is tried again");
    }
  }

  @Override
  public void close() {
    thread.shutdownNow();
  }
}
