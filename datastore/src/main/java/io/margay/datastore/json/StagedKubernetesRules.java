package io.margay.datastore.json;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.model.k8s.KubernetesNetworkPolicy;
import io.margay.model.k8s.KubernetesValidator;
import io.margay.model.resource.FieldError;
import io.margay.model.resource.Resource;
import io.margay.model.resource.ResourceValidator;
import io.margay.model.resource.StagedAction;
import io.margay.model.resource.StagedKubernetesNetworkPolicy;
import io.margay.model.resource.StagedKubernetesNetworkPolicySpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Reads the spec of a StagedKubernetesNetworkPolicy as the Kubernetes NetworkPolicy it would
/// become. Nothing of it is enforced, so a field unknown here is kept and reported, not refused.
final class StagedKubernetesRules {

  private StagedKubernetesRules() {}

  /// Every rule a resource must obey, those of Kubernetes included.
  static List<FieldError> validate(Resource resource) {
    List<FieldError> found = ResourceValidator.validate(resource);
    if (!found.isEmpty() || !(resource instanceof StagedKubernetesNetworkPolicy policy)) {
      return found;
    }
    return policy.spec().effectiveStagedAction() == StagedAction.DELETE
        ? found
        : errors(policy.spec());
  }

  private static List<FieldError> errors(StagedKubernetesNetworkPolicySpec spec) {
    ErrorSink sink = new ErrorSink();
    KubernetesNetworkPolicy policy = read(spec, sink);
    if (policy != null) {
      return KubernetesValidator.validate(policy);
    }
    return sink.found().stream().filter(error -> !isUnknownField(error)).toList();
  }

  /// Paths of the fields Kubernetes has no name for.
  static List<String> unknownFields(StagedKubernetesNetworkPolicySpec spec) {
    ErrorSink sink = new ErrorSink();
    List<String> paths = new ArrayList<>();
    if (read(spec, sink) == null) {
      for (FieldError error : sink.found()) {
        if (isUnknownField(error)) {
          paths.add(error.path());
        }
      }
    }
    return paths;
  }

  private static boolean isUnknownField(FieldError error) {
    return error.message().equals(Problems.NO_SUCH_FIELD);
  }

  /// The policy under a name of its own; empty when a field is unknown.
  static Optional<KubernetesNetworkPolicy> read(StagedKubernetesNetworkPolicySpec spec) {
    return Optional.ofNullable(read(spec, new ErrorSink()));
  }

  private static @Nullable KubernetesNetworkPolicy read(
      StagedKubernetesNetworkPolicySpec spec, ErrorSink sink) {
    ObjectNode document = ResourceJson.JSON.createObjectNode();
    document.putObject("metadata").put("name", "staged").put("namespace", "staged");
    ObjectNode fields = document.putObject("spec");
    fields.set("podSelector", ResourceJson.JSON.valueToTree(spec.podSelector()));
    fields.set("ingress", ResourceJson.JSON.valueToTree(spec.ingress()));
    fields.set("egress", ResourceJson.JSON.valueToTree(spec.egress()));
    fields.set("policyTypes", ResourceJson.JSON.valueToTree(spec.policyTypes()));
    return ResourceJson.read(document, KubernetesNetworkPolicy.class, sink);
  }
}
