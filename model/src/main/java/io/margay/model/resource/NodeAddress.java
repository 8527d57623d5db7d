package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// An address of a node.
///
/// @param address with or without a prefix length
/// @param type `CalicoNodeIP`, `InternalIP`, `ExternalIP`
/// @param unknown fields this version has no name for, kept for the round trip
public record NodeAddress(
    String address,
    @Nullable String type,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

  public NodeAddress {
    address = Copies.required(address, "address");
    unknown = Copies.sorted(unknown);
  }
}
