package io.margay.agent;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.agent.dataplane.EndpointStatusListener;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.Leases;
import io.margay.datastore.StatusKeys;
import io.margay.datastore.Txn;
import io.margay.model.resource.WorkloadEndpoint;
import io.margay.model.resource.WorkloadEndpointSpec;
import io.margay.policy.EndpointKey;
import io.margay.policy.HostEndpointKey;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Reports to the datastore, where Calico's tools look for it, that this node's agent lives and how
/// each pod and host endpoint fares: `/calico/felix/v2/no-region/host/<node>/…` and
/// `/calico/felix/v1/host/<node>/endpoint/<name>`. All of it but the last report is gone {@link
/// #TTL} after the agent has stopped. Nobody waits for it.
final class StatusReporter implements EndpointStatusListener, AutoCloseable {

  /// Calico's ReportingTTLSecs.
  static final Duration TTL = Duration.ofSeconds(90);

  /// Calico's ReportingIntervalSecs.
  static final Duration INTERVAL = Duration.ofSeconds(30);

  private static final Logger LOG = LoggerFactory.getLogger(StatusReporter.class);

  private final String folder;

  /// Where Calico has host endpoints, of an older layout.
  private final String hostFolder;

  private final Function<EndpointKey, Optional<WorkloadEndpoint>> endpoints;
  private final Datastore datastore;
  private final InstantSource clock;
  private final InstantSource steady;
  private final Instant started;
  private final StatusKeys keys;

  /// The key each pod was reported under; owned by the dataplane loop.
  private final Map<EndpointKey, String> reported = new HashMap<>();

  private final ScheduledThreadPoolExecutor thread;
  private boolean first = true;
  private boolean failing;

  /// @param endpoints finds a pod's document; from any thread
  /// @param clock the time of day
  /// @param steady a clock that nobody sets, for how long the agent has run
  StatusReporter(
      String nodeName,
      Datastore datastore,
      Leases leases,
      Function<EndpointKey, Optional<WorkloadEndpoint>> endpoints,
      InstantSource clock,
      InstantSource steady) {
    this.folder = "/calico/felix/v2/no-region/host/" + escape(nodeName) + "/";
    this.hostFolder = "/calico/felix/v1/host/" + escape(nodeName) + "/";
    this.datastore = datastore;
    this.endpoints = endpoints;
    this.clock = clock;
    this.steady = steady;
    this.started = steady.instant();
    this.keys = new StatusKeys(leases, TTL);
    this.thread =
        new ScheduledThreadPoolExecutor(
            1, Thread.ofPlatform().daemon().name("host-status").factory());
  }

  /// From now on the node counts as alive.
  void start() {
    thread.scheduleWithFixedDelay(this::reportHost, 0, INTERVAL.toSeconds(), TimeUnit.SECONDS);
  }

  private void reportHost() {
    ObjectNode report =
        JsonNodeFactory.instance
            .objectNode()
            .put("time", clock.instant().truncatedTo(ChronoUnit.SECONDS).toString())
            .put("uptime", Duration.between(started, steady.instant()).toMillis() / 1000.0)
            .put("first_update", first);
    first = false;
    keys.put(folder + "status", report.toString());
    try {
      datastore.commit(
          Txn.builder().put(folder + "last_reported_status", report.toString()).build());
      failing = false;
    } catch (DatastoreException refused) {
      if (!failing) {
        failing = true;
        LOG.atWarn()
            .addKeyValue("reason", refused.getMessage())
            .log("the node's last report can't be written; it is tried again");
      }
    }
  }

  @Override
  public void onStatus(EndpointKey endpoint, Status status) {
    String key = reported.get(endpoint);
    if (key == null) {
      key = endpoints.apply(endpoint).map(this::keyOf).orElse(null);
      if (key == null) {
        return;
      }
      reported.put(endpoint, key);
    }
    keys.put(key, statusDocument(status));
  }

  @Override
  public void onGone(EndpointKey endpoint) {
    String key = reported.remove(endpoint);
    if (key != null) {
      keys.remove(key);
    }
  }

  @Override
  public void onHostStatus(HostEndpointKey endpoint, Status status) {
    keys.put(hostKeyOf(endpoint), statusDocument(status));
  }

  @Override
  public void onHostGone(HostEndpointKey endpoint) {
    keys.remove(hostKeyOf(endpoint));
  }

  private String hostKeyOf(HostEndpointKey endpoint) {
    return hostFolder + "endpoint/" + escape(endpoint.name());
  }

  private static String statusDocument(Status status) {
    return "{\"status\":\"" + status.name().toLowerCase(Locale.ROOT) + "\"}";
  }

  /// As Calico names a workload: a Kubernetes pod by namespace and name, one of another CNI runtime
  /// by its container, anything else by what it says.
  private String keyOf(WorkloadEndpoint endpoint) {
    WorkloadEndpointSpec spec = endpoint.spec();
    String orchestrator = known(spec.orchestrator());
    String workload =
        switch (orchestrator) {
          case "k8s" -> endpoint.ref().namespace() + "/" + known(spec.pod());
          case "cni" -> known(spec.containerID());
          default -> known(spec.workload());
        };
    return folder
        + "workload/"
        + escape(orchestrator)
        + "/"
        + escape(workload)
        + "/endpoint/"
        + escape(known(spec.endpoint()));
  }

  private static String known(@Nullable String text) {
    return Objects.requireNonNullElse(text, "unknown");
  }

  private static String escape(String part) {
    return part.replace("%", "%25").replace("/", "%2f");
  }

  @Override
  public void close() {
    thread.shutdownNow();
    keys.close();
  }
}
