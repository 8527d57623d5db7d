package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import java.util.List;
import java.util.Map;

/// What an HTTP request must be.
///
/// @param methods any of these; empty = all
/// @param paths any of these; empty = all
/// @param unknown fields this version has no name for, kept for the round trip
public record HttpMatch(
    List<String> methods,
    List<HttpPath> paths,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

  public HttpMatch {
    methods = Copies.list(methods);
    paths = Copies.list(paths);
    unknown = Copies.sorted(unknown);
  }
}
