package io.margay.agent.cni;

import io.margay.cni.PodCatalog;
import io.margay.cni.PodOverlay;
import io.margay.cni.journal.Workload;
import io.margay.cni.spec.CniError;
import io.margay.cni.spec.CniException;
import io.margay.datastore.Change;
import io.margay.datastore.KeyValue;
import io.margay.datastore.json.PodDocuments;
import io.margay.datastore.json.PodDocuments.PodName;
import io.margay.datastore.json.PodDocuments.Stored;
import io.margay.model.k8s.KubernetesPod;
import io.margay.model.resource.WorkloadEndpoint;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/// The Pod documents the store has told of, of the whole cluster: any of them may be started here.
/// They are kept as they are stored and read when somebody asks, since a cluster has many more pods
/// than a node. Told by the calc loop, asked from any thread.
public final class KnownPods implements PodCatalog {

  private final Map<PodName, String> documents = new ConcurrentHashMap<>();

  /// Takes news of the store.
  ///
  /// @return whose document it is; empty if it is none
  public Optional<PodName> onChange(Change change) {
    Optional<PodName> pod = PodDocuments.parseKey(change.key());
    pod.ifPresent(
        name -> {
          switch (change) {
            case Change.Put(KeyValue item) -> documents.put(name, item.value());
            case Change.Delete _ -> documents.remove(name);
          }
        });
    return pod;
  }

  private Optional<Stored> stored(PodName name) {
    return Optional.ofNullable(documents.get(name))
        .map(document -> PodDocuments.decode(name, document));
  }

  /// Why the document of a pod can't be read; empty if it can, or is none.
  public Optional<String> problem(PodName name) {
    return stored(name).orElse(null) instanceof Stored.Unreadable(String reason)
        ? Optional.of(reason)
        : Optional.empty();
  }

  @Override
  public Optional<KubernetesPod> find(Workload.Pod pod) throws CniException {
    PodName name = new PodName(pod.namespace(), pod.name());
    Optional<Stored> stored = stored(name);
    if (stored.isEmpty()) {
      return Optional.empty();
    }
    return switch (stored.get()) {
      case Stored.Document(KubernetesPod document) -> Optional.of(document);
      case Stored.Unreadable(String reason) ->
          throw new CniException(
              CniError.BAD_CONFIG,
              PodDocuments.key(name)
                  + " is no Pod document: "
                  + reason
                  + "; apply the Pod again, or delete it");
    };
  }

  /// The endpoint as it has to be, given what is said of its pod. One whose document can't be read
  /// stays as it is: it holds what the last readable one said.
  public WorkloadEndpoint fit(WorkloadEndpoint endpoint) {
    String pod = endpoint.spec().pod();
    if (pod == null) {
      return endpoint;
    }
    Optional<Stored> stored = stored(new PodName(endpoint.metadata().namespaceOrEmpty(), pod));
    if (stored.isEmpty()) {
      return PodOverlay.fit(endpoint, Optional.empty());
    }
    return switch (stored.get()) {
      case Stored.Document(KubernetesPod document) ->
          PodOverlay.fit(endpoint, Optional.of(document));
      case Stored.Unreadable _ -> endpoint;
    };
  }
}
