package io.margay.policy;

import java.util.List;
import java.util.Map;

/// A profile in the form the graph computes with.
///
/// @param labels what endpoints and network sets naming it inherit
record CompiledProfile(
    Map<String, String> labels, List<SelectorRule> ingressRules, List<SelectorRule> egressRules) {

  CompiledProfile {
    labels = Map.copyOf(labels);
    ingressRules = List.copyOf(ingressRules);
    egressRules = List.copyOf(egressRules);
  }
}
