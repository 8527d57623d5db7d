package io.margay.cli.policy;

import io.margay.model.k8s.AdminPolicy;
import io.margay.model.k8s.Conversion;
import io.margay.model.k8s.ConvertedDocument;
import io.margay.model.resource.PolicyType;
import java.util.List;

/// A policy as its author wrote it, where that is not what is enforced.
///
/// @param kind the document's
/// @param name `namespace/name`, or the bare name
/// @param ingress for each rule that is enforced, the index of the rule its author wrote
/// @param egress likewise
record WrittenPolicy(String kind, String name, List<Integer> ingress, List<Integer> egress) {

  static WrittenPolicy of(String kind, ConvertedDocument document, Conversion conversion) {
    String name = document.metadata().name();
    return new WrittenPolicy(
        kind,
        document instanceof AdminPolicy
            ? name
            : document.metadata().namespaceOrEmpty() + "/" + name,
        conversion.ingressOrigins(),
        conversion.egressOrigins());
  }

  /// The author's index of a rule. Of a policy that is closed as a whole, there is no such rule but
  /// the first.
  int rule(PolicyType direction, int enforced) {
    List<Integer> origins =
        switch (direction) {
          case INGRESS -> ingress;
          case EGRESS -> egress;
        };
    return enforced < origins.size() ? origins.get(enforced) : enforced;
  }
}
