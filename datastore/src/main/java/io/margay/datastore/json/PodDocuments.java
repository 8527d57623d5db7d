package io.margay.datastore.json;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.KeyValue;
import io.margay.datastore.json.WholeDocuments.Outcome;
import io.margay.model.k8s.KubernetesDocument;
import io.margay.model.k8s.KubernetesPod;
import io.margay.model.resource.FieldError;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Pod documents in the store, below `/margay/v1/pods/`: what users say of their pods. A document
/// is its user's; it is there before its pod's ADD and after its DEL, until its user deletes it.
/// What it says reaches the pod's WorkloadEndpoint through the agent of the pod's node, the
/// endpoint's one writer: so it does no matter which of the two comes first, nor whether the agent
/// runs.
public final class PodDocuments {

  /// The folder of all Pod documents; ends in `/`.
  public static final String PREFIX = "/margay/v1/pods/";

  private static final String API_VERSION = "v1";
  private static final String KIND = "Pod";

  private final Datastore datastore;
  private final WholeDocuments documents;

  public PodDocuments(Datastore datastore) {
    this.datastore = datastore;
    this.documents = new WholeDocuments(datastore);
  }

  /// Which pod.
  public record PodName(String namespace, String name) {

    /// `Pod(namespace/name)`, as resources call themselves.
    @Override
    public String toString() {
      return "Pod(" + namespace + "/" + name + ")";
    }
  }

  /// What is under a document's key.
  public sealed interface Stored {

    record Document(KubernetesPod pod) implements Stored {}

    /// Somebody wrote what is no Pod document.
    record Unreadable(String reason) implements Stored {}
  }

  public static PodName nameOf(KubernetesPod pod) {
    return new PodName(pod.metadata().namespaceOrEmpty(), pod.metadata().name());
  }

  /// Namespaces and names of pods hold nothing that a key could not.
  public static String key(PodName name) {
    return PREFIX + name.namespace() + "/" + name.name();
  }

  /// Which pod's document a key holds; empty if it is none's.
  public static Optional<PodName> parseKey(String key) {
    if (!key.startsWith(PREFIX)) {
      return Optional.empty();
    }
    String[] parts = key.substring(PREFIX.length()).split("/", -1);
    return parts.length == 2 && !parts[0].isEmpty() && !parts[1].isEmpty()
        ? Optional.of(new PodName(parts[0], parts[1]))
        : Optional.empty();
  }

  /// The document to store: one line of JSON, of what matters here alone.
  public static String encode(KubernetesPod pod) {
    ObjectNode document = ResourceJson.JSON.createObjectNode();
    document.put("kind", KIND);
    document.put("apiVersion", API_VERSION);
    document.setAll(ResourceJson.JSON.<ObjectNode>valueToTree(pod.reduced()));
    try {
      return ResourceJson.JSON.writeValueAsString(document);
    } catch (JsonProcessingException never) {
      throw new UncheckedIOException(never);
    }
  }

  /// Reads what is stored for a pod.
  public static Stored decode(PodName name, String value) {
    ErrorSink errors = new ErrorSink();
    KubernetesDocument read = null;
    try {
      JsonNode tree = ResourceJson.JSON.readTree(value);
      read = KubernetesDocuments.read(tree, KubernetesPod.class, name.namespace(), errors);
    } catch (JsonProcessingException broken) {
      errors.add("document", "is not JSON: " + ResourceJson.firstLine(broken));
    }
    if (read instanceof KubernetesPod pod) {
      if (nameOf(pod).equals(name)) {
        return new Stored.Document(pod);
      }
      errors.add("metadata", "is of " + nameOf(pod) + ", stored as " + name);
    }
    return new Stored.Unreadable(
        errors.found().stream().map(FieldError::toString).collect(Collectors.joining("; ")));
  }

  /// Makes the store hold the document, whether there was one or not.
  public Outcome apply(KubernetesPod pod) throws DatastoreException {
    return documents.apply(key(nameOf(pod)), encode(pod));
  }

  /// Stores a document that must not be there yet.
  public Outcome create(KubernetesPod pod) throws DatastoreException {
    return documents.create(key(nameOf(pod)), encode(pod));
  }

  /// Replaces a document that must be there.
  public Outcome replace(KubernetesPod pod) throws DatastoreException {
    return documents.replace(key(nameOf(pod)), encode(pod));
  }

  /// Deletes a document. The pod's endpoint becomes what it would be without.
  public Outcome delete(PodName name) throws DatastoreException {
    return documents.delete(key(name));
  }

  /// The documents of a namespace, or of all of them if it is null; in key order.
  public List<KeyValue> list(@Nullable String namespace) throws DatastoreException {
    return datastore.list(namespace == null ? PREFIX : PREFIX + namespace + "/").items();
  }
}
