package io.margay.datastore.json;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.model.k8s.KubernetesDocument;
import io.margay.model.k8s.KubernetesEndpointSlice;
import io.margay.model.resource.FieldError;
import io.margay.model.resource.Kind;
import io.margay.model.resource.ResourceRef;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Optional;

/// EndpointSlice documents in the store, below `/margay/v1/endpointslices/`: the endpoints of
/// services that rules name. Their user, or what copies them from Kubernetes, keeps them.
public final class EndpointSliceDocuments {

  /// The folder of all slices; ends in `/`.
  public static final String PREFIX = "/margay/v1/endpointslices/";

  private static final String API_VERSION = "discovery.k8s.io/v1";

  private EndpointSliceDocuments() {}

  public static ResourceRef ref(KubernetesEndpointSlice slice) {
    return new ResourceRef(
        Kind.ENDPOINT_SLICE, slice.metadata().namespaceOrEmpty(), slice.metadata().name());
  }

  /// Namespaces and names of slices hold nothing that a key could not.
  public static String key(ResourceRef ref) {
    return PREFIX + ref.namespace() + "/" + ref.name();
  }

  /// Which slice a key holds; empty if it is none's.
  public static Optional<ResourceRef> parseKey(String key) {
    if (!key.startsWith(PREFIX)) {
      return Optional.empty();
    }
    String[] parts = key.substring(PREFIX.length()).split("/", -1);
    return parts.length == 2 && !parts[0].isEmpty() && !parts[1].isEmpty()
        ? Optional.of(new ResourceRef(Kind.ENDPOINT_SLICE, parts[0], parts[1]))
        : Optional.empty();
  }

  /// The document to store: one line of JSON, of what matters here alone.
  public static String encode(KubernetesEndpointSlice slice) {
    ObjectNode document = ResourceJson.JSON.createObjectNode();
    document.put("kind", Kind.ENDPOINT_SLICE.kindName());
    document.put("apiVersion", API_VERSION);
    document.setAll(ResourceJson.JSON.<ObjectNode>valueToTree(slice.reduced()));
    try {
      return ResourceJson.JSON.writeValueAsString(document);
    } catch (JsonProcessingException never) {
      throw new UncheckedIOException(never);
    }
  }

  /// Reads what is stored for a slice, as what policy makes of it.
  public static Decoded decode(ResourceRef ref, String value) {
    ErrorSink errors = new ErrorSink();
    KubernetesDocument read = null;
    try {
      JsonNode tree = ResourceJson.JSON.readTree(value);
      read = KubernetesDocuments.read(tree, KubernetesEndpointSlice.class, ref.namespace(), errors);
    } catch (JsonProcessingException broken) {
      errors.add("document", "is not JSON: " + ResourceJson.firstLine(broken));
    }
    if (read instanceof KubernetesEndpointSlice slice) {
      if (ref(slice).equals(ref)) {
        return new Decoded.Valid(slice.translated());
      }
      errors.add("metadata", "is of " + ref(slice) + ", stored as " + ref);
    }
    return new Decoded.Invalid(
        ref,
        errors.found().isEmpty() ? List.of(new FieldError("document", "is empty")) : errors.found(),
        Optional.empty());
  }
}
