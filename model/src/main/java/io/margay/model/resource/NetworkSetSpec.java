package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import io.margay.model.net.Prefix;
import java.util.List;
import java.util.Map;

/// The prefixes of a network set.
///
/// @param nets may overlap
/// @param unknown fields this version has no name for, kept for the round trip
public record NetworkSetSpec(
    List<Prefix> nets, @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

  /// Nothing given.
  public static final NetworkSetSpec EMPTY = new NetworkSetSpec(List.of(), Map.of());

  public NetworkSetSpec {
    nets = Copies.list(nets);
    unknown = Copies.sorted(unknown);
  }
}
