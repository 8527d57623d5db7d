package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import io.margay.model.selector.Selector;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Service accounts an endpoint must run as. Names and selector are ANDed.
///
/// @param names any of these; empty = all
/// @param selector over the service account's labels; null = all
/// @param unknown fields this version has no name for, kept for the round trip
public record ServiceAccountMatch(
    List<String> names,
    @Nullable Selector selector,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

  public ServiceAccountMatch {
    names = Copies.list(names);
    unknown = Copies.sorted(unknown);
  }
}
