package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Facts about the cluster.
///
/// @param clusterGUID random, unique
/// @param clusterType comma-separated words
/// @param calicoVersion of what last wrote here
/// @param datastoreReady false = no wiring of pods, as during a migration; null = true
/// @param variant edition of what last wrote here
/// @param unknown fields this version has no name for, kept for the round trip
public record ClusterInformationSpec(
    @Nullable String clusterGUID,
    @Nullable String clusterType,
    @Nullable String calicoVersion,
    @Nullable Boolean datastoreReady,
    @Nullable String variant,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

  /// Nothing given.
  public static final ClusterInformationSpec EMPTY =
      new ClusterInformationSpec(null, null, null, null, null, Map.of());

  public ClusterInformationSpec {
    unknown = Copies.sorted(unknown);
  }

  public boolean isDatastoreReady() {
    return !Boolean.FALSE.equals(datastoreReady);
  }
}
