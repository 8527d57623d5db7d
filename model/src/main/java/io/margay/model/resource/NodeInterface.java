package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A network interface of a node.
///
/// @param name as the node's kernel has it
/// @param addresses its addresses
/// @param unknown fields this version has no name for, kept for the round trip
public record NodeInterface(
    @Nullable String name,
    List<String> addresses,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

  public NodeInterface {
    addresses = Copies.list(addresses);
    unknown = Copies.sorted(unknown);
  }
}
