package io.margay.model.k8s;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What an [AdminPolicy] does. Holds the fields of all its kinds; which of them a kind has is
/// [KubernetesValidator]'s to say.
///
/// @param tier ClusterNetworkPolicy only: before or after NetworkPolicies
/// @param priority not of a BaselineAdminNetworkPolicy: 0 to 1000, low first
/// @param subject whom it is for
/// @param ingress in order; the first that matches decides
/// @param egress in order; the first that matches decides
public record AdminPolicySpec(
    @Nullable Tier tier,
    @Nullable Integer priority,
    Subject subject,
    List<AdminRule> ingress,
    List<AdminRule> egress) {

  public AdminPolicySpec {
    subject = Given.required(subject, "subject");
    ingress = Given.list(ingress);
    egress = Given.list(egress);
  }

  /// Where a ClusterNetworkPolicy stands.
  public enum Tier {
    @JsonProperty("Admin")
    ADMIN,
    @JsonProperty("Baseline")
    BASELINE
  }

  /// Pods: all of some namespaces, or some of them. Exactly one is given.
  public record Subject(@Nullable LabelSelector namespaces, @Nullable NamespacedPods pods) {}
}
