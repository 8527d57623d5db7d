package io.margay.policy;

import io.margay.model.selector.Selector;
import java.util.List;
import java.util.Set;

/// A policy in the form the graph computes with: defaults filled in, selectors effective.
///
/// @param key its identity
/// @param tier the tier it names
/// @param order position in the tier, lowest first; [Double#POSITIVE_INFINITY] when not given
/// @param selector picks the endpoints it applies to
/// @param stages where it applies to host endpoints; to workloads it applies exactly if
///   [HostStage#NORMAL] is among them
/// @param ingress whether it applies to packets towards them
/// @param egress whether it applies to packets from them
record CompiledPolicy(
    PolicyKey key,
    String tier,
    double order,
    Selector selector,
    Set<HostStage> stages,
    boolean ingress,
    boolean egress,
    List<SelectorRule> ingressRules,
    List<SelectorRule> egressRules) {

  CompiledPolicy {
    stages = Set.copyOf(stages);
    ingressRules = List.copyOf(ingressRules);
    egressRules = List.copyOf(egressRules);
  }

  boolean isForWorkloads() {
    return stages.contains(HostStage.NORMAL);
  }

  /// This policy with one rule, which denies everything it applies to.
  CompiledPolicy closed() {
    List<SelectorRule> deny = List.of(SelectorRule.any(0, RuleAction.DENY));
    return new CompiledPolicy(
        key,
        tier,
        order,
        selector,
        stages,
        ingress,
        egress,
        ingress ? deny : List.of(),
        egress ? deny : List.of());
  }
}
