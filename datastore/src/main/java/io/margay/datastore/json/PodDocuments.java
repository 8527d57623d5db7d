package io.margay.datastore.json;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.datastore.CommitResult;
import io.margay.datastore.Datastore;
import io.margay.datastore.DatastoreException;
import io.margay.datastore.KeyValue;
import io.margay.datastore.Txn;
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

  /// Tries of one write while others keep changing the same document.
  static final int MAX_ATTEMPTS = 8;

  private static final String API_VERSION = "v1";
  private static final String KIND = "Pod";

  private final Datastore datastore;

  public PodDocuments(Datastore datastore) {
    this.datastore = datastore;
  }

  /// Which pod.
  public record PodName(String namespace, String name) {

    /// `Pod(namespace/name)`, as resources call themselves.
    @Override
    public String toString() {
      return "Pod(" + namespace + "/" + name + ")";
    }
  }

  /// How a write ended.
  public enum Outcome {
    CREATED,
    REPLACED,
    /// The store already was as wanted.
    UNCHANGED,
    DELETED,
    /// There is no such document; nothing was written.
    MISSING,
    /// There is one already; nothing was written.
    EXISTS,
    /// Others changed it at every attempt; nothing was written.
    CONTENDED
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
    return write(pod, true, true);
  }

  /// Stores a document that must not be there yet.
  public Outcome create(KubernetesPod pod) throws DatastoreException {
    return write(pod, true, false);
  }

  /// Replaces a document that must be there.
  public Outcome replace(KubernetesPod pod) throws DatastoreException {
    return write(pod, false, true);
  }

  private Outcome write(KubernetesPod pod, boolean mayCreate, boolean mayReplace)
      throws DatastoreException {
    String key = key(nameOf(pod));
    String value = encode(pod);
    for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      @Nullable KeyValue stored = datastore.get(key).orElse(null);
      if (stored == null ? !mayCreate : !mayReplace) {
        return stored == null ? Outcome.MISSING : Outcome.EXISTS;
      }
      if (stored != null && stored.value().equals(value)) {
        return Outcome.UNCHANGED;
      }
      Txn txn = stored == null ? Txn.create(key, value) : Txn.replace(stored, value);
      if (datastore.commit(txn) instanceof CommitResult.Committed) {
        return stored == null ? Outcome.CREATED : Outcome.REPLACED;
      }
    }
    return Outcome.CONTENDED;
  }

  /// Deletes a document. The pod's endpoint becomes what it would be without.
  public Outcome delete(PodName name) throws DatastoreException {
    for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      Optional<KeyValue> stored = datastore.get(key(name));
      if (stored.isEmpty()) {
        return Outcome.MISSING;
      }
      if (datastore.commit(Txn.delete(stored.get())) instanceof CommitResult.Committed) {
        return Outcome.DELETED;
      }
    }
    return Outcome.CONTENDED;
  }

  /// The documents of a namespace, or of all of them if it is null; in key order.
  public List<KeyValue> list(@Nullable String namespace) throws DatastoreException {
    return datastore.list(namespace == null ? PREFIX : PREFIX + namespace + "/").items();
  }
}
