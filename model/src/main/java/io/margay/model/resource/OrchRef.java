package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A node's name elsewhere.
///
/// @param nodeName the name
/// @param orchestrator `k8s`, …
/// @param unknown fields this version has no name for, kept for the round trip
public record OrchRef(
    @Nullable String nodeName,
    String orchestrator,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

  public OrchRef {
    orchestrator = Copies.required(orchestrator, "orchestrator");
    unknown = Copies.sorted(unknown);
  }
}
