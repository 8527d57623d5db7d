package io.margay.agent.cni;

import io.margay.datastore.CommitResult;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Listing;
import io.margay.datastore.Txn;
import io.margay.datastore.json.Decoded;
import io.margay.datastore.json.ResourceJson;
import io.margay.datastore.json.ResourceKeys;
import io.margay.model.resource.ClusterInformation;
import io.margay.model.resource.Kind;
import io.margay.model.resource.Resource;
import io.margay.model.resource.ResourceRef;
import io.margay.model.resource.WorkloadEndpoint;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Brings stored endpoints of this node to what they have to be. The agent writes the endpoints of
/// its node at ADD and DEL, so it is the one to write them in between: a command that did so, too,
/// would race with an ADD it can't see.
///
/// Asked for by name alone and as often as anybody likes; what is written is worked out when it is
/// written. Goes on until it is done or the endpoint is gone; an endpoint waits once, so there are
/// never more waiting than there are pods on the node.
public final class EndpointWriter implements AutoCloseable {

  /// How often an endpoint may change under us before it waits for [#RETRY].
  static final int MAX_ATTEMPTS = 5;

  /// How long one that could not be written waits.
  public static final Duration RETRY = Duration.ofSeconds(5);

  private static final Logger LOG = LoggerFactory.getLogger(EndpointWriter.class);

  private static final String CLUSTER =
      ResourceKeys.key(ResourceRef.global(Kind.CLUSTER_INFORMATION, "default"));

  private final String node;
  private final Datastore datastore;
  private final UnaryOperator<WorkloadEndpoint> fit;
  private final Duration retry;
  private final Set<ResourceRef> waiting = ConcurrentHashMap.newKeySet();
  private final ScheduledThreadPoolExecutor thread;

  /// @param fit what an endpoint has to be; called on this writer's thread
  public EndpointWriter(String node, Datastore datastore, UnaryOperator<WorkloadEndpoint> fit) {
    this(node, datastore, fit, RETRY);
  }

  EndpointWriter(
      String node, Datastore datastore, UnaryOperator<WorkloadEndpoint> fit, Duration retry) {
    this.node = node;
    this.datastore = datastore;
    this.fit = fit;
    this.retry = retry;
    this.thread =
        new ScheduledThreadPoolExecutor(
            1, Thread.ofPlatform().daemon().name("endpoint-writer").factory());
    thread.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
  }

  /// From any thread; never blocks.
  public void request(ResourceRef endpoint) {
    request(endpoint, Duration.ZERO);
  }

  private void request(ResourceRef endpoint, Duration delay) {
    if (waiting.add(endpoint)) {
      try {
        thread.schedule(() -> write(endpoint), delay.toMillis(), TimeUnit.MILLISECONDS);
      } catch (RejectedExecutionException closed) {
        // The next start finds what is left to do.
      }
    }
  }

  private void write(ResourceRef endpoint) {
    // What is asked for from here on may not be seen by what follows, so it is another request.
    waiting.remove(endpoint);
    try {
      Outcome outcome = writeOnce(endpoint);
      for (int again = 1; outcome == Outcome.LOST_RACE && again < MAX_ATTEMPTS; again++) {
        outcome = writeOnce(endpoint);
      }
      if (outcome == Outcome.DONE) {
        return;
      }
    } catch (DatastoreException refused) {
      LOG.atWarn()
          .addKeyValue("endpoint", endpoint)
          .addKeyValue("reason", refused.getMessage())
          .log("what is said of the pod is in force, but not in its endpoint; trying again");
    }
    request(endpoint, retry);
  }

  /// How one attempt ended.
  private enum Outcome {
    /// Nothing is left to do.
    DONE,
    /// Somebody else wrote first.
    LOST_RACE,
    /// A migration holds the datastore.
    LOCKED
  }

  private Outcome writeOnce(ResourceRef ref) throws DatastoreException {
    String key = ResourceKeys.key(ref);
    Listing read = datastore.getAll(List.of(key, CLUSTER));
    Optional<KeyValue> stored = find(read, key);
    if (stored.isEmpty()
        || !(decoded(stored.get()) instanceof WorkloadEndpoint endpoint)
        || !node.equals(endpoint.spec().node())) {
      return Outcome.DONE;
    }
    WorkloadEndpoint fitted = fit.apply(endpoint);
    if (fitted.equals(endpoint)) {
      return Outcome.DONE;
    }
    Optional<KeyValue> cluster = find(read, CLUSTER);
    if (cluster.isPresent()
        && decoded(cluster.get()) instanceof ClusterInformation information
        && !information.spec().isDatastoreReady()) {
      return Outcome.LOCKED;
    }
    Txn.Builder txn =
        Txn.builder()
            .ifAtRevision(key, stored.get().modRevision())
            .put(key, ResourceJson.encode(fitted));
    // A migration that locks the datastore meanwhile must not find it written to.
    cluster.ifPresentOrElse(
        item -> txn.ifAtRevision(CLUSTER, item.modRevision()), () -> txn.ifAbsent(CLUSTER));
    return datastore.commit(txn.build()) instanceof CommitResult.Committed
        ? Outcome.DONE
        : Outcome.LOST_RACE;
  }

  private static Optional<KeyValue> find(Listing read, String key) {
    return read.items().stream().filter(item -> item.key().equals(key)).findFirst();
  }

  private static @Nullable Resource decoded(KeyValue item) {
    return ResourceJson.decode(item.key(), item.value(), item.modRevision()).orElse(null)
            instanceof Decoded.Valid valid
        ? valid.resource()
        : null;
  }

  @Override
  public void close() {
    thread.shutdownNow();
  }
}
