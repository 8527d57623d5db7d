package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import io.margay.model.net.Prefix;
import java.util.Map;

/// A prefix in an object of its own.
///
/// @param cidr the prefix
/// @param unknown fields this version has no name for, kept for the round trip
public record CidrEntry(Prefix cidr, @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

  public CidrEntry {
    cidr = Copies.required(cidr, "cidr");
    unknown = Copies.sorted(unknown);
  }
}
