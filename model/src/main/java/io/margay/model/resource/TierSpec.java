package io.margay.model.resource;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonAnySetter;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A tier's place and its answer at its end.
///
/// @param order low first; null = after all that have one
/// @param defaultAction null = Deny
/// @param unknown fields this version has no name for, kept for the round trip
public record TierSpec(
    @Nullable Double order,
    @Nullable TierAction defaultAction,
    @JsonAnySetter @JsonAnyGetter Map<String, Object> unknown) {

  /// Nothing given.
  public static final TierSpec EMPTY = new TierSpec(null, null, Map.of());

  public TierSpec {
    unknown = Copies.sorted(unknown);
  }

  /// The tier a policy without one is in.
  public static final String DEFAULT_TIER = "default";

  /// Tier of the cluster administrator's Kubernetes policies.
  public static final String KUBE_ADMIN_TIER = "kube-admin";

  /// Tier of the Kubernetes baseline policies.
  public static final String KUBE_BASELINE_TIER = "kube-baseline";

  /// The order as a number: positive infinity when none is given.
  public double effectiveOrder() {
    return order == null ? Double.POSITIVE_INFINITY : order;
  }

  public TierAction effectiveDefaultAction() {
    return defaultAction == null ? TierAction.DENY : defaultAction;
  }

  TierSpec withDefaults() {
    return new TierSpec(order, effectiveDefaultAction(), unknown);
  }
}
