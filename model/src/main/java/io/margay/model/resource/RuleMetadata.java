package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import java.util.Map;

/// Annotations of a rule; shown, never matched.
///
/// @param annotations key and value
/// @param unknown fields this version has no name for, kept for the round trip
public record RuleMetadata(
    Map<String, String> annotations, @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

  public RuleMetadata {
    annotations = Copies.labels(annotations);
    unknown = Copies.sorted(unknown);
  }
}
