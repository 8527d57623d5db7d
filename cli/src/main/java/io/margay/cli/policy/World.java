package io.margay.cli.policy;

import io.margay.model.resource.Action;
import io.margay.model.resource.GlobalNetworkPolicy;
import io.margay.model.resource.GlobalNetworkSet;
import io.margay.model.resource.NetworkPolicy;
import io.margay.model.resource.NetworkSet;
import io.margay.model.resource.PolicySpec;
import io.margay.model.resource.PolicyType;
import io.margay.model.resource.Resource;
import io.margay.model.resource.ResourceRef;
import io.margay.model.resource.Rule;
import io.margay.policy.CalcGraph;
import io.margay.policy.PolicyKey;
import io.margay.policy.oracle.PolicyOracle;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Everything documents say of a cluster.
///
/// @param resources the valid ones, with what follows from the others: namespaces' and accounts'
///   profiles, pods' endpoints
/// @param unreadable those that are stored in spite of being wrong
/// @param pods by `namespace/name`
/// @param lostPods why documents of pods are none, by `namespace/name`
/// @param hosts the nodes as ends of packets
/// @param written what the authors wrote, by what is enforced for it
/// @param warnings what is wrong, a line each
record World(
    Map<ResourceRef, Resource> resources,
    Map<ResourceRef, Unreadable> unreadable,
    Map<String, Pod> pods,
    Map<String, String> lostPods,
    Hosts hosts,
    Map<PolicyKey, WrittenPolicy> written,
    List<String> warnings) {

  /// @param readable of a policy, what can be told without its rules; of a network set, the set
  ///   with those of its prefixes that are well; null if not even that
  record Unreadable(@Nullable Resource readable, String problem) {}

  /// The calculation of one node, told everything.
  CalcGraph graph(String node) {
    CalcGraph graph = new CalcGraph(node);
    resources.forEach(graph::onUpdate);
    unreadable.forEach((ref, it) -> graph.onUnreadable(ref, it.readable(), it.problem()));
    graph.onInSync();
    return graph;
  }

  /// What the calculation says of resources beyond [#warnings], a line each.
  List<String> problems(CalcGraph graph) {
    return graph.problems().entrySet().stream()
        .filter(problem -> !unreadable.containsKey(problem.getKey()))
        .map(problem -> problem.getKey() + ": " + problem.getValue())
        .toList();
  }

  PolicyOracle oracle() {
    List<Resource> all = new ArrayList<>(resources.values());
    for (Unreadable it : unreadable.values()) {
      switch (it.readable()) {
        case NetworkPolicy policy ->
            all.add(new NetworkPolicy(policy.metadata(), denying(policy.spec())));
        case GlobalNetworkPolicy policy ->
            all.add(new GlobalNetworkPolicy(policy.metadata(), denying(policy.spec())));
        case NetworkSet set -> all.add(set);
        case GlobalNetworkSet set -> all.add(set);
        case null, default -> {
          // Taken for absent.
        }
      }
    }
    return new PolicyOracle(all);
  }

  private static PolicySpec denying(PolicySpec spec) {
    List<Rule> deny = List.of(Rule.of(Action.DENY));
    List<PolicyType> types = spec.effectiveTypes();
    return spec.withTypes(types)
        .withIngress(types.contains(PolicyType.INGRESS) ? deny : List.of())
        .withEgress(types.contains(PolicyType.EGRESS) ? deny : List.of());
  }
}
