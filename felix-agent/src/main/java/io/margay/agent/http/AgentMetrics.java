package io.margay.agent.http;

import io.prometheus.metrics.core.metrics.CounterWithCallback;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.time.Duration;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;

/// The agent's metrics, by the names operators scrape (docs/api.md).
public final class AgentMetrics {

  private static final double NANOS = 1e9;

  private final PrometheusRegistry registry;
  private final Histogram cniSeconds;

  /// @param endpoints how many workload endpoints this node has now
  public AgentMetrics(PrometheusRegistry registry, IntSupplier endpoints) {
    this.registry = registry;
    cniSeconds =
        Histogram.builder()
            .name("margay_cni_request_seconds")
            .help("Time from a CNI request's arrival to its reply.")
            .labelNames("verb", "outcome")
            .classicUpperBounds(.001, .002, .003, .004, .006, .01, .02, .05, .1, .5, 1, 5)
            .register(registry);
    GaugeWithCallback.builder()
        .name("margay_endpoints")
        .help("Workload endpoints on this node.")
        .callback(gauge -> gauge.call(endpoints.getAsInt()))
        .register(registry);
  }

  /// Shows how many resources are not served as they are written; `/api/v1/status` has a line for
  /// each.
  ///
  /// @param bgp of BGP
  /// @param others the rest
  public void watchProblems(IntSupplier bgp, IntSupplier others) {
    GaugeWithCallback.builder()
        .name("margay_resource_problems")
        .help("Resources that are not followed or enforced as they are written.")
        .labelNames("part")
        .callback(
            gauge -> {
              gauge.call(bgp.getAsInt(), "bgp");
              gauge.call(others.getAsInt(), "other");
            })
        .register(registry);
  }

  /// Shows what garbage collection sees and does.
  ///
  /// @param suspected handles that look unused, not for long enough
  /// @param due handles that two witnesses call unused and that are still held
  /// @param freed addresses freed since the start
  public void watchGarbage(IntSupplier suspected, IntSupplier due, LongSupplier freed) {
    GaugeWithCallback.builder()
        .name("margay_ipam_garbage_handles")
        .help("Handles whose addresses nobody seems to use.")
        .labelNames("state")
        .callback(
            gauge -> {
              gauge.call(suspected.getAsInt(), "suspected");
              gauge.call(due.getAsInt(), "due");
            })
        .register(registry);
    CounterWithCallback.builder()
        .name("margay_ipam_garbage_freed_total")
        .help("Addresses freed by garbage collection.")
        .callback(counter -> counter.call((double) freed.getAsLong()))
        .register(registry);
  }

  /// Shows how many attachments were released because they had vanished and no DEL came.
  public void watchReclaimed(LongSupplier reclaimed) {
    CounterWithCallback.builder()
        .name("margay_cni_reclaimed_total")
        .help("Attachments released after they vanished from the kernel without a DEL.")
        .callback(counter -> counter.call((double) reclaimed.getAsLong()))
        .register(registry);
  }

  /// Shows how many connections ended by what the agent did.
  ///
  /// @param cut those that policy came to deny
  /// @param letGo of those, the ones that nothing keeps from coming back, there being too many
  /// @param forgotten those of addresses that were freed
  public void watchConnections(LongSupplier cut, LongSupplier letGo, LongSupplier forgotten) {
    CounterWithCallback.builder()
        .name("margay_policy_connections_cut_total")
        .help("Open connections cut because policy came to deny them.")
        .callback(counter -> counter.call((double) cut.getAsLong()))
        .register(registry);
    CounterWithCallback.builder()
        .name("margay_policy_connections_let_go_total")
        .help("Connections cut at host endpoints that are not kept out, because too many are.")
        .callback(counter -> counter.call((double) letGo.getAsLong()))
        .register(registry);
    CounterWithCallback.builder()
        .name("margay_freed_address_connections_forgotten_total")
        .help("Tracked connections of freed addresses that were removed.")
        .callback(counter -> counter.call((double) forgotten.getAsLong()))
        .register(registry);
  }

  /// A CNI request was answered.
  public void onCniRequest(String verb, boolean succeeded, Duration took) {
    cniSeconds.labelValues(verb, succeeded ? "ok" : "error").observe(took.toNanos() / NANOS);
  }
}
