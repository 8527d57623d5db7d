package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import io.margay.model.selector.Selector;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What a StagedNetworkPolicy or StagedGlobalNetworkPolicy would do. The fields but the first are
/// those of [PolicySpec].
///
/// @param stagedAction null = Set
/// @param tier null = `default`
/// @param order low first; null = after all that have one
/// @param selector endpoints it applies to; null = all
/// @param namespaceSelector StagedGlobalNetworkPolicy only: namespaces of those endpoints
/// @param serviceAccountSelector service accounts of those endpoints
/// @param types empty = by the rules present
/// @param ingress in order, for packets towards the endpoint
/// @param egress in order, for packets from the endpoint
/// @param doNotTrack StagedGlobalNetworkPolicy only: applied before connection tracking
/// @param preDNAT StagedGlobalNetworkPolicy only: applied before destination NAT
/// @param applyOnForward StagedGlobalNetworkPolicy only: also for packets a host endpoint forwards
/// @param performanceHints advice to the dataplane
/// @param unknown fields this version has no name for, kept for the round trip
// As Calico writes them.
@JsonPropertyOrder({
  "stagedAction",
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
public record StagedPolicySpec(
    @Nullable StagedAction stagedAction,
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

  public StagedPolicySpec {
    types = Copies.list(types);
    ingress = Copies.list(ingress);
    egress = Copies.list(egress);
    performanceHints = Copies.list(performanceHints);
    unknown = Copies.sorted(unknown);
  }

  /// Staging of `policy`.
  public static StagedPolicySpec of(@Nullable StagedAction action, PolicySpec policy) {
    return new StagedPolicySpec(
        action,
        policy.tier(),
        policy.order(),
        policy.selector(),
        policy.namespaceSelector(),
        policy.serviceAccountSelector(),
        policy.types(),
        policy.ingress(),
        policy.egress(),
        policy.doNotTrack(),
        policy.preDNAT(),
        policy.applyOnForward(),
        policy.performanceHints(),
        policy.unknown());
  }

  public StagedAction effectiveStagedAction() {
    return stagedAction == null ? StagedAction.SET : stagedAction;
  }

  /// The policy it would become.
  public PolicySpec policy() {
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
        unknown);
  }

  /// A deletion says nothing but where: its other fields must stay empty.
  StagedPolicySpec withDefaults() {
    PolicySpec policy = policy();
    return of(
        effectiveStagedAction(),
        stagedAction == StagedAction.DELETE
            ? policy.withTier(policy.effectiveTier())
            : policy.withDefaults());
  }
}
