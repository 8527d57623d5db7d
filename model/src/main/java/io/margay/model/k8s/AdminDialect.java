package io.margay.model.k8s;

import io.margay.model.resource.Action;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// In what the kinds of [AdminPolicy] differ.
public enum AdminDialect {
  /// ClusterNetworkPolicy v1alpha2.
  CLUSTER(
      "ClusterNetworkPolicy",
      25,
      Map.of("Accept", Action.ALLOW, "Deny", Action.DENY, "Pass", Action.PASS)),
  /// AdminNetworkPolicy v1alpha1.
  ADMIN(
      "AdminNetworkPolicy",
      100,
      Map.of("Allow", Action.ALLOW, "Deny", Action.DENY, "Pass", Action.PASS)),
  /// BaselineAdminNetworkPolicy v1alpha1, of which there is one.
  BASELINE("BaselineAdminNetworkPolicy", 100, Map.of("Allow", Action.ALLOW, "Deny", Action.DENY));

  private final String kind;
  private final int maxItems;
  private final Map<String, Action> actions;

  AdminDialect(String kind, int maxItems, Map<String, Action> actions) {
    this.kind = kind;
    this.maxItems = maxItems;
    this.actions = new TreeMap<>(actions);
  }

  String kind() {
    return kind;
  }

  /// The most rules in a direction, peers in a rule, and ports in a rule.
  int maxItems() {
    return maxItems;
  }

  /// What a rule's `action` means; empty if this kind does not have it.
  Optional<Action> action(String word) {
    return Optional.ofNullable(actions.get(word));
  }

  /// The words of this kind, for an error.
  String actions() {
    return String.join(", ", actions.keySet());
  }
}
