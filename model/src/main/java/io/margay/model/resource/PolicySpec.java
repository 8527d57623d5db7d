package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import io.margay.model.selector.Selector;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What a NetworkPolicy or GlobalNetworkPolicy does. Raw fields are as written; use the accessors
/// with "effective" in their name where a default matters.
///
/// @param tier null = `default`
/// @param order low first; null = after all that have one
/// @param selector endpoints it applies to; null = all
/// @param namespaceSelector GlobalNetworkPolicy only: namespaces of those endpoints
/// @param serviceAccountSelector service accounts of those endpoints
/// @param types empty = by the rules present, see [#effectiveTypes]
/// @param ingress in order, for packets towards the endpoint
/// @param egress in order, for packets from the endpoint
/// @param doNotTrack GlobalNetworkPolicy only: applied before connection tracking
/// @param preDNAT GlobalNetworkPolicy only: applied before destination NAT
/// @param applyOnForward GlobalNetworkPolicy only: also for packets a host endpoint forwards
/// @param performanceHints advice to the dataplane
/// @param unknown fields this version has no name for, kept for the round trip
// As Calico writes them.
@JsonPropertyOrder({
  "tier",
  "order",
  "ingress",
  "egress",
  "selector",
  "types",
  "doNotTrack",
  "preDNAT",
  "applyOnForward",
  "serviceAccountSelector",
  "namespaceSelector",
  "performanceHints"
})
public record PolicySpec(
    @Nullable String tier,
    @Nullable Double order,
    @Nullable Selector selector,
    @Nullable Selector namespaceSelector,
    @Nullable Selector serviceAccountSelector,
    List<PolicyType> types,
    List<Rule> ingress,
    List<Rule> egress,
    @Nullable Boolean doNotTrack,
    @Nullable Boolean preDNAT,
    @Nullable Boolean applyOnForward,
    List<String> performanceHints,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

  /// Nothing given.
  public static final PolicySpec EMPTY =
      new PolicySpec(
          null, null, null, null, null, List.of(), List.of(), List.of(), null, null, null,
          List.of(), Map.of());

  public PolicySpec {
    types = Copies.list(types);
    ingress = Copies.list(ingress);
    egress = Copies.list(egress);
    performanceHints = Copies.list(performanceHints);
    unknown = Copies.sorted(unknown);
  }

  /// The tier it is in, `default` unless given.
  public String effectiveTier() {
    return tier == null ? TierSpec.DEFAULT_TIER : tier;
  }

  /// The order as a number: positive infinity when none is given.
  public double effectiveOrder() {
    return order == null ? Double.POSITIVE_INFINITY : order;
  }

  public Selector effectiveSelector() {
    return selector == null ? Selector.ALL : selector;
  }

  /// The directions it applies to: as given, else Egress if there are only egress rules, both if
  /// there are both, and Ingress otherwise.
  public List<PolicyType> effectiveTypes() {
    if (!types.isEmpty()) {
      return types;
    }
    if (egress.isEmpty()) {
      return List.of(PolicyType.INGRESS);
    }
    return ingress.isEmpty()
        ? List.of(PolicyType.EGRESS)
        : List.of(PolicyType.INGRESS, PolicyType.EGRESS);
  }

  public boolean isDoNotTrack() {
    return Boolean.TRUE.equals(doNotTrack);
  }

  public boolean isPreDnat() {
    return Boolean.TRUE.equals(preDNAT);
  }

  public boolean isApplyOnForward() {
    return Boolean.TRUE.equals(applyOnForward);
  }

  /// As the store keeps it: tier, selector and types written out.
  PolicySpec withDefaults() {
    return new PolicySpec(
        effectiveTier(),
        order,
        selector,
        namespaceSelector,
        serviceAccountSelector,
        effectiveTypes(),
        ingress,
        egress,
        doNotTrack,
        preDNAT,
        applyOnForward,
        performanceHints,
        unknown);
  }

  PolicySpec withUnknown(Map<String, Object> newUnknown) {
    return new PolicySpec(
        tier,
        order,
        selector,
        namespaceSelector,
        serviceAccountSelector,
        types,
        ingress,
        egress,
        doNotTrack,
        preDNAT,
        applyOnForward,
        performanceHints,
        newUnknown);
  }

  public PolicySpec withTier(@Nullable String newTier) {
    return new PolicySpec(
        newTier,
        order,
        selector,
        namespaceSelector,
        serviceAccountSelector,
        types,
        ingress,
        egress,
        doNotTrack,
        preDNAT,
        applyOnForward,
        performanceHints,
        unknown);
  }

  public PolicySpec withOrder(@Nullable Double newOrder) {
    return new PolicySpec(
        tier,
        newOrder,
        selector,
        namespaceSelector,
        serviceAccountSelector,
        types,
        ingress,
        egress,
        doNotTrack,
        preDNAT,
        applyOnForward,
        performanceHints,
        unknown);
  }

  public PolicySpec withSelector(@Nullable Selector newSelector) {
    return new PolicySpec(
        tier,
        order,
        newSelector,
        namespaceSelector,
        serviceAccountSelector,
        types,
        ingress,
        egress,
        doNotTrack,
        preDNAT,
        applyOnForward,
        performanceHints,
        unknown);
  }

  public PolicySpec withNamespaceSelector(@Nullable Selector newNamespaceSelector) {
    return new PolicySpec(
        tier,
        order,
        selector,
        newNamespaceSelector,
        serviceAccountSelector,
        types,
        ingress,
        egress,
        doNotTrack,
        preDNAT,
        applyOnForward,
        performanceHints,
        unknown);
  }

  public PolicySpec withServiceAccountSelector(@Nullable Selector newServiceAccountSelector) {
    return new PolicySpec(
        tier,
        order,
        selector,
        namespaceSelector,
        newServiceAccountSelector,
        types,
        ingress,
        egress,
        doNotTrack,
        preDNAT,
        applyOnForward,
        performanceHints,
        unknown);
  }

  public PolicySpec withTypes(List<PolicyType> newTypes) {
    return new PolicySpec(
        tier,
        order,
        selector,
        namespaceSelector,
        serviceAccountSelector,
        newTypes,
        ingress,
        egress,
        doNotTrack,
        preDNAT,
        applyOnForward,
        performanceHints,
        unknown);
  }

  public PolicySpec withIngress(List<Rule> newIngress) {
    return new PolicySpec(
        tier,
        order,
        selector,
        namespaceSelector,
        serviceAccountSelector,
        types,
        newIngress,
        egress,
        doNotTrack,
        preDNAT,
        applyOnForward,
        performanceHints,
        unknown);
  }

  public PolicySpec withEgress(List<Rule> newEgress) {
    return new PolicySpec(
        tier,
        order,
        selector,
        namespaceSelector,
        serviceAccountSelector,
        types,
        ingress,
        newEgress,
        doNotTrack,
        preDNAT,
        applyOnForward,
        performanceHints,
        unknown);
  }
}
