package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import io.margay.model.net.Prefix;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Whose block it is.
///
/// @param state `pending`, `confirmed` or `pendingDeletion`
/// @param node the owner
/// @param type `host` or `virtual`; null = host
/// @param cidr the block
/// @param deleted `"true"` while it is being deleted: text, as Calico has it
/// @param unknown fields this version has no name for, kept for the round trip
public record BlockAffinitySpec(
    String state,
    String node,
    @Nullable String type,
    Prefix cidr,
    @Nullable String deleted,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

  public BlockAffinitySpec {
    state = Copies.required(state, "state");
    node = Copies.required(node, "node");
    cidr = Copies.required(cidr, "cidr");
    unknown = Copies.sorted(unknown);
  }
}
