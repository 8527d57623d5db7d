package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.margay.model.selector.Selector;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// From where to where. Calico writes these names as Go has them, with capitals and without leaving
/// anything out.
///
/// @param source where it runs
/// @param target where it goes
/// @param unknown fields this version has no name for, kept for the round trip
@JsonInclude(JsonInclude.Include.ALWAYS)
public record LiveMigrationSpec(
    @JsonProperty("Source") @Nullable MigrationSource source,
    @JsonProperty("Target") @Nullable MigrationTarget target,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

  /// Nothing given.
  public static final LiveMigrationSpec EMPTY = new LiveMigrationSpec(null, null, Map.of());

  public LiveMigrationSpec {
    unknown = Copies.sorted(unknown);
  }

  /// Exactly one of its fields is given.
  ///
  /// @param workload the machine with all its interfaces
  /// @param workloadEndpoint one interface
  /// @param unknown fields this version has no name for, kept for the round trip
  @JsonInclude(JsonInclude.Include.ALWAYS)
  public record MigrationSource(
      @JsonProperty("Workload") @Nullable WorkloadIdentifier workload,
      @JsonProperty("WorkloadEndpoint") @Nullable EndpointIdentifier workloadEndpoint,
      @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

    public MigrationSource {
      unknown = Copies.sorted(unknown);
    }
  }

  /// Exactly one of its fields is given.
  ///
  /// @param selector the machine with all its interfaces
  /// @param workloadEndpoint one interface
  /// @param unknown fields this version has no name for, kept for the round trip
  @JsonInclude(JsonInclude.Include.ALWAYS)
  public record MigrationTarget(
      @JsonProperty("Selector") @Nullable Selector selector,
      @JsonProperty("WorkloadEndpoint") @Nullable EndpointIdentifier workloadEndpoint,
      @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

    public MigrationTarget {
      unknown = Copies.sorted(unknown);
    }
  }

  /// A machine or pod.
  ///
  /// @param hostname where it runs; says nothing for `k8s`
  /// @param orchestratorId `k8s`, `openstack`, …
  /// @param workloadId its name there
  /// @param unknown fields this version has no name for, kept for the round trip
  @JsonInclude(JsonInclude.Include.ALWAYS)
  public record WorkloadIdentifier(
      @JsonProperty("Hostname") String hostname,
      @JsonProperty("OrchestratorID") String orchestratorId,
      @JsonProperty("WorkloadID") String workloadId,
      @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

    public WorkloadIdentifier {
      hostname = Copies.required(hostname, "hostname");
      orchestratorId = Copies.required(orchestratorId, "orchestratorId");
      workloadId = Copies.required(workloadId, "workloadId");
      unknown = Copies.sorted(unknown);
    }
  }

  /// An interface of a machine or pod.
  ///
  /// @param hostname where it runs; says nothing for `k8s`
  /// @param orchestratorId `k8s`, `openstack`, …
  /// @param workloadId its name there
  /// @param endpointId which of its interfaces
  /// @param unknown fields this version has no name for, kept for the round trip
  @JsonInclude(JsonInclude.Include.ALWAYS)
  public record EndpointIdentifier(
      @JsonProperty("Hostname") String hostname,
      @JsonProperty("OrchestratorID") String orchestratorId,
      @JsonProperty("WorkloadID") String workloadId,
      @JsonProperty("EndpointID") String endpointId,
      @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

    public EndpointIdentifier {
      hostname = Copies.required(hostname, "hostname");
      orchestratorId = Copies.required(orchestratorId, "orchestratorId");
      workloadId = Copies.required(workloadId, "workloadId");
      endpointId = Copies.required(endpointId, "endpointId");
      unknown = Copies.sorted(unknown);
    }
  }
}
