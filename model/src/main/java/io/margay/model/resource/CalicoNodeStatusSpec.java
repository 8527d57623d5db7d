package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Which report on which node is wanted.
///
/// @param node the node
/// @param classes parts of the report
/// @param updatePeriodSeconds seconds between reports; 0 = none
/// @param unknown fields this version has no name for, kept for the round trip
public record CalicoNodeStatusSpec(
    @Nullable String node,
    List<NodeStatusClass> classes,
    @Nullable Integer updatePeriodSeconds,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

  /// Nothing given.
  public static final CalicoNodeStatusSpec EMPTY =
      new CalicoNodeStatusSpec(null, List.of(), null, Map.of());

  public CalicoNodeStatusSpec {
    classes = Copies.list(classes);
    unknown = Copies.sorted(unknown);
  }
}
