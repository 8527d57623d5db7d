package io.margay.model.k8s;

import io.margay.model.resource.Resource;
import io.margay.model.resource.Rule;
import java.util.ArrayList;
import java.util.List;

/// What a Kubernetes document became, and which of its rules each rule of that comes from.
///
/// @param resource what is stored
/// @param ingressOrigins for each ingress rule of the resource, the index of the document's
/// @param egressOrigins for each egress rule of the resource, the index of the document's
public record Conversion(
    Resource resource, List<Integer> ingressOrigins, List<Integer> egressOrigins) {

  public Conversion {
    ingressOrigins = List.copyOf(ingressOrigins);
    egressOrigins = List.copyOf(egressOrigins);
  }

  static Conversion withoutRules(Resource resource) {
    return new Conversion(resource, List.of(), List.of());
  }

  static List<Rule> joined(List<List<Rule>> rulesOfEach) {
    return rulesOfEach.stream().flatMap(List::stream).toList();
  }

  static List<Integer> origins(List<List<Rule>> rulesOfEach) {
    List<Integer> origins = new ArrayList<>();
    for (int origin = 0; origin < rulesOfEach.size(); origin++) {
      for (int i = 0; i < rulesOfEach.get(origin).size(); i++) {
        origins.add(origin);
      }
    }
    return origins;
  }
}
