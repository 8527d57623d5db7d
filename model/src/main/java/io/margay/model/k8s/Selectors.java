package io.margay.model.k8s;

import io.margay.model.selector.Selector;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Kubernetes label selectors in the selector language.
final class Selectors {

  private static final String PODS = "projectcalico.org/orchestrator == 'k8s'";

  private Selectors() {}

  /// A selector over pods: only endpoints that Kubernetes runs are any, never hosts and network
  /// sets.
  static Selector pods(@Nullable LabelSelector selector) {
    List<String> terms = new ArrayList<>(List.of(PODS));
    if (selector != null) {
      terms.addAll(terms(selector));
    }
    return Selector.parse(String.join(" && ", terms));
  }

  /// A selector over the labels of namespaces; `{}` = every one.
  static Selector namespaces(LabelSelector selector) {
    return selector.isEmpty() ? Selector.ALL : Selector.parse(String.join(" && ", terms(selector)));
  }

  private static List<String> terms(LabelSelector selector) {
    List<String> terms = new ArrayList<>();
    selector.matchLabels().forEach((key, value) -> terms.add(key + " == '" + value + "'"));
    for (LabelSelector.Requirement requirement : selector.matchExpressions()) {
      String values = "{ '" + String.join("', '", requirement.values()) + "' }";
      terms.add(
          switch (requirement.operator()) {
            case IN -> requirement.key() + " in " + values;
            case NOT_IN -> requirement.key() + " not in " + values;
            case EXISTS -> "has(" + requirement.key() + ")";
            case DOES_NOT_EXIST -> "! has(" + requirement.key() + ")";
          });
    }
    return terms;
  }
}
