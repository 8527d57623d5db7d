package io.margay.datastore.json;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.model.resource.Kind;
import io.margay.model.resource.Resource;
import io.margay.model.resource.ResourceRef;
import java.util.Optional;

/// A stored document that is no valid resource, and a bare one to be filled with what is well in
/// it.
final class UnreadableDocument {

  private UnreadableDocument() {}

  /// The document as a tree; missing if it is not JSON.
  static JsonNode tree(String value) {
    try {
      return ResourceJson.JSON.readTree(value);
    } catch (JsonProcessingException notJson) {
      return MissingNode.getInstance();
    }
  }

  /// A document with nothing but what its key says.
  static ObjectNode bare(ResourceRef ref) {
    ObjectNode bare = ResourceJson.JSON.createObjectNode();
    bare.put("apiVersion", Kind.API_VERSION).put("kind", ref.kind().kindName());
    ObjectNode metadata = bare.putObject("metadata").put("name", ref.name());
    if (!ref.namespace().isEmpty()) {
      metadata.put("namespace", ref.namespace());
    }
    return bare;
  }

  /// The resource that a bare document has become; empty if that is none.
  static Optional<Resource> read(ResourceRef ref, ObjectNode document) {
    return Optional.ofNullable(
        ResourceJson.read(document, ResourceJson.type(ref.kind()), new ErrorSink()));
  }
}
