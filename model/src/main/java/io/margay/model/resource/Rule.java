package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// One rule of a policy or profile. All given fields are ANDed.
///
/// @param action what a match does
/// @param ipVersion 4 or 6; null = both
/// @param protocol null = any
/// @param notProtocol any but this
/// @param icmp with protocol ICMP or ICMPv6 only
/// @param notICMP with protocol ICMP or ICMPv6 only
/// @param source where the packet comes from
/// @param destination where it goes
/// @param http ingress Allow only; needs an HTTP proxy
/// @param metadata annotations of the rule
/// @param unknown fields this version has no name for, kept for the round trip
// As Calico writes them.
@JsonPropertyOrder({
  "action",
  "ipVersion",
  "protocol",
  "icmp",
  "notProtocol",
  "notICMP",
  "source",
  "destination",
  "http",
  "metadata"
})
public record Rule(
    Action action,
    @Nullable Integer ipVersion,
    @Nullable Protocol protocol,
    @Nullable Protocol notProtocol,
    @Nullable IcmpFields icmp,
    @Nullable IcmpFields notICMP,
    EntityRule source,
    EntityRule destination,
    @Nullable HttpMatch http,
    @Nullable RuleMetadata metadata,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

  public Rule {
    action = Copies.required(action, "action");
    source = source == null ? EntityRule.EMPTY : source;
    destination = destination == null ? EntityRule.EMPTY : destination;
    unknown = Copies.sorted(unknown);
  }

  /// A rule that matches every packet.
  public static Rule of(Action action) {
    return new Rule(
        action,
        null,
        null,
        null,
        null,
        null,
        EntityRule.EMPTY,
        EntityRule.EMPTY,
        null,
        null,
        Map.of());
  }

  public Rule withProtocol(@Nullable Protocol newProtocol) {
    return new Rule(
        action,
        ipVersion,
        newProtocol,
        notProtocol,
        icmp,
        notICMP,
        source,
        destination,
        http,
        metadata,
        unknown);
  }

  public Rule withSource(EntityRule newSource) {
    return new Rule(
        action,
        ipVersion,
        protocol,
        notProtocol,
        icmp,
        notICMP,
        newSource,
        destination,
        http,
        metadata,
        unknown);
  }

  public Rule withDestination(EntityRule newDestination) {
    return new Rule(
        action,
        ipVersion,
        protocol,
        notProtocol,
        icmp,
        notICMP,
        source,
        newDestination,
        http,
        metadata,
        unknown);
  }

  public Rule withMetadata(@Nullable RuleMetadata newMetadata) {
    return new Rule(
        action,
        ipVersion,
        protocol,
        notProtocol,
        icmp,
        notICMP,
        source,
        destination,
        http,
        newMetadata,
        unknown);
  }
}
