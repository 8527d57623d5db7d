package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A name for a port of an endpoint.
///
/// @param name as rules use it
/// @param protocol TCP, UDP or SCTP
/// @param port 1 to 65535
/// @param hostPort port of the node that leads here; null or 0 = none
/// @param hostIP address of the node that leads here; null = all
/// @param unknown fields this version has no name for, kept for the round trip
public record EndpointPort(
    @JsonInclude(JsonInclude.Include.ALWAYS) String name,
    Protocol protocol,
    Integer port,
    @Nullable Integer hostPort,
    @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable String hostIP,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

  public EndpointPort {
    name = Copies.required(name, "name");
    protocol = Copies.required(protocol, "protocol");
    port = Copies.required(port, "port");
    unknown = Copies.sorted(unknown);
  }
}
