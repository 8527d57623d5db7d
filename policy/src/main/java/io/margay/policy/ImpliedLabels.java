package io.margay.policy;

import io.margay.model.resource.Metadata;
import io.margay.model.resource.WorkloadEndpoint;
import io.margay.model.selector.Selector;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The labels an object has in the eyes of a selector without its owner's doing. They win over
/// labels of the same key that the owner wrote: nobody labels himself into another namespace.
final class ImpliedLabels {

  /// Who runs the workload: `k8s`, `cni`, ….
  static final String ORCHESTRATOR = "projectcalico.org/orchestrator";

  private ImpliedLabels() {}

  /// The labels of an endpoint, with its namespace, orchestrator and service account.
  static Map<String, String> of(WorkloadEndpoint endpoint) {
    Map<String, String> labels = inNamespace(endpoint.metadata());
    put(labels, ORCHESTRATOR, endpoint.spec().orchestrator());
    put(labels, Selector.SERVICE_ACCOUNT_LABEL, endpoint.spec().serviceAccountName());
    return labels;
  }

  /// The labels of an object, with its namespace if it has one.
  static Map<String, String> inNamespace(Metadata metadata) {
    Map<String, String> labels = new HashMap<>(metadata.labels());
    put(labels, Selector.NAMESPACE_LABEL, metadata.namespace());
    return labels;
  }

  private static void put(Map<String, String> labels, String key, @Nullable String value) {
    if (value == null || value.isEmpty()) {
      labels.remove(key);
    } else {
      labels.put(key, value);
    }
  }
}
