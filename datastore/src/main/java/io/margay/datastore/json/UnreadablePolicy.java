package io.margay.datastore.json;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.model.resource.Kind;
import io.margay.model.resource.Resource;
import io.margay.model.resource.ResourceRef;
import java.util.List;
import java.util.Optional;

/// What can still be told of a policy whose document is broken: whom it selects, and where it
/// stands. Enough to deny for those, which is what a policy that can't be enforced as written has
/// to do.
final class UnreadablePolicy {

  /// What of `spec` says whom the policy is for. The rules, the usual culprits, are left out.
  private static final List<String> PLACE =
      List.of("tier", "order", "selector", "namespaceSelector", "serviceAccountSelector");

  private UnreadablePolicy() {}

  /// The policy for both directions and without rules; empty when its selectors can't be read
  /// either, or when the resource is no policy.
  static Optional<Resource> withoutRules(ResourceRef ref, String value) {
    if (ref.kind() != Kind.NETWORK_POLICY && ref.kind() != Kind.GLOBAL_NETWORK_POLICY) {
      return Optional.empty();
    }
    JsonNode document;
    try {
      document = ResourceJson.JSON.readTree(value);
    } catch (JsonProcessingException notJson) {
      return Optional.empty();
    }
    if (!(document.get("spec") instanceof ObjectNode spec)) {
      return Optional.empty();
    }
    ObjectNode bare = ResourceJson.JSON.createObjectNode();
    bare.put("apiVersion", Kind.API_VERSION).put("kind", ref.kind().kindName());
    ObjectNode metadata = bare.putObject("metadata").put("name", ref.name());
    if (!ref.namespace().isEmpty()) {
      metadata.put("namespace", ref.namespace());
    }
    ObjectNode place = bare.putObject("spec");
    place.putArray("types").add("Ingress").add("Egress");
    for (String field : PLACE) {
      if (spec.hasNonNull(field)) {
        place.set(field, spec.get(field));
      }
    }
    return Optional.ofNullable(
        ResourceJson.read(bare, ResourceJson.type(ref.kind()), new ErrorSink()));
  }
}
