package io.margay.policy;

import java.util.List;

/// The rules of one policy or profile, in written order.
///
/// @param ingress applied to packets towards the endpoint
/// @param egress applied to packets from the endpoint
public record RuleSet(List<ComputedRule> ingress, List<ComputedRule> egress) {

  public RuleSet {
    ingress = List.copyOf(ingress);
    egress = List.copyOf(egress);
  }
}
