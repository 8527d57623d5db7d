package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The endpoints of one Kubernetes service.
///
/// @param name the service
/// @param namespace null = the policy's own
/// @param unknown fields this version has no name for, kept for the round trip
public record ServiceMatch(
    @Nullable String name,
    @Nullable String namespace,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

  public ServiceMatch {
    unknown = Copies.sorted(unknown);
  }
}
