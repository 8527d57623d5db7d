package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Knobs of Calico's Kubernetes controllers.
///
/// @param logSeverityScreen least severity logged; null = Info
/// @param healthChecks `Enabled` or `Disabled`; null = Enabled
/// @param etcdV3CompactionPeriod between compactions of etcd; 0 = never; null = 10m
/// @param prometheusMetricsPort TCP port of the metrics; 0 = none; null = 9094
/// @param controllers one by one
/// @param debugProfilePort TCP port of the profiler; null = none
/// @param unknown fields this version has no name for, kept for the round trip
public record KubeControllersConfigurationSpec(
    @Nullable String logSeverityScreen,
    @Nullable String healthChecks,
    @Nullable Duration etcdV3CompactionPeriod,
    @Nullable Integer prometheusMetricsPort,
    ControllersConfig controllers,
    @Nullable Integer debugProfilePort,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

  /// Nothing given.
  public static final KubeControllersConfigurationSpec EMPTY =
      new KubeControllersConfigurationSpec(
          null, null, null, null, ControllersConfig.EMPTY, null, Map.of());

  public KubeControllersConfigurationSpec {
    controllers = controllers == null ? ControllersConfig.EMPTY : controllers;
    unknown = Copies.sorted(unknown);
  }
}
