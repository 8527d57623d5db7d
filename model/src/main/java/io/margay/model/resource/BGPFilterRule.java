package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.margay.model.net.Asn;
import io.margay.model.net.Prefix;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// One rule of a BGP filter. All given matches are ANDed; none matches every route.
///
/// @param cidr compared as `matchOperator` says
/// @param prefixLength lengths of prefixes that `cidr` is compared with
/// @param source null = wherever the route is from
/// @param interfaceGlob interface the route leaves by, `*` standing for any text
/// @param matchOperator with `cidr` only
/// @param peerType null = every session
/// @param communities communities the route carries
/// @param asPathPrefix how its AS path begins; empty = no matter how
/// @param priority its metric in the kernel
/// @param action what a match does
/// @param operations changes to an accepted route, in order
/// @param unknown fields this version has no name for, kept for the round trip
public record BGPFilterRule(
    @Nullable Prefix cidr,
    @Nullable PrefixLengthRange prefixLength,
    @Nullable FilterSource source,
    @JsonProperty("interface") @Nullable String interfaceGlob,
    @Nullable FilterMatchOperator matchOperator,
    @Nullable FilterPeerType peerType,
    @Nullable CommunityMatch communities,
    List<Asn> asPathPrefix,
    @Nullable Integer priority,
    FilterAction action,
    List<BGPFilterOperation> operations,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

  public BGPFilterRule {
    asPathPrefix = Copies.list(asPathPrefix);
    action = Copies.required(action, "action");
    operations = Copies.list(operations);
    unknown = Copies.sorted(unknown);
  }

  /// Bounds of a prefix's length.
  ///
  /// @param min null = the length of `cidr`
  /// @param max null = the family's longest
  /// @param unknown fields this version has no name for, kept for the round trip
  public record PrefixLengthRange(
      @Nullable Integer min,
      @Nullable Integer max,
      @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

    public PrefixLengthRange {
      unknown = Copies.sorted(unknown);
    }
  }

  /// Communities a route must carry.
  ///
  /// @param values exactly one
  /// @param unknown fields this version has no name for, kept for the round trip
  public record CommunityMatch(
      List<String> values, @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

    public CommunityMatch {
      values = Copies.list(values);
      unknown = Copies.sorted(unknown);
    }
  }
}
