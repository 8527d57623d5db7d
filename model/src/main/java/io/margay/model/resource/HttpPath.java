package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A path of an HTTP request. Exactly one of its fields is given.
///
/// @param exact the whole path
/// @param prefix how it begins
/// @param unknown fields this version has no name for, kept for the round trip
public record HttpPath(
    @Nullable String exact,
    @Nullable String prefix,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

  public HttpPath {
    unknown = Copies.sorted(unknown);
  }
}
