package io.margay.datastore.json;

import com.fasterxml.jackson.databind.JsonNode;
import io.margay.model.k8s.KubernetesAdminNetworkPolicy;
import io.margay.model.k8s.KubernetesBaselineAdminNetworkPolicy;
import io.margay.model.k8s.KubernetesClusterNetworkPolicy;
import io.margay.model.k8s.KubernetesDocument;
import io.margay.model.k8s.KubernetesEndpointSlice;
import io.margay.model.k8s.KubernetesNamespace;
import io.margay.model.k8s.KubernetesNetworkPolicy;
import io.margay.model.k8s.KubernetesPod;
import io.margay.model.k8s.KubernetesServiceAccount;
import io.margay.model.k8s.KubernetesValidator;
import io.margay.model.resource.FieldError;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// The Kubernetes kinds that are accepted as input, read and checked.
public final class KubernetesDocuments {

  private static final Map<String, Class<? extends KubernetesDocument>> TYPES =
      new TreeMap<>(
          Map.of(
              "discovery.k8s.io/v1 EndpointSlice",
              KubernetesEndpointSlice.class,
              "networking.k8s.io/v1 NetworkPolicy",
              KubernetesNetworkPolicy.class,
              "policy.networking.k8s.io/v1alpha1 AdminNetworkPolicy",
              KubernetesAdminNetworkPolicy.class,
              "policy.networking.k8s.io/v1alpha1 BaselineAdminNetworkPolicy",
              KubernetesBaselineAdminNetworkPolicy.class,
              "policy.networking.k8s.io/v1alpha2 ClusterNetworkPolicy",
              KubernetesClusterNetworkPolicy.class,
              // Its schema is v1alpha2's (network-policy-api v0.3.0).
              "policy.networking.k8s.io/v1beta1 ClusterNetworkPolicy",
              KubernetesClusterNetworkPolicy.class,
              "v1 Namespace",
              KubernetesNamespace.class,
              "v1 Pod",
              KubernetesPod.class,
              "v1 ServiceAccount",
              KubernetesServiceAccount.class));

  private KubernetesDocuments() {}

  /// The type of an accepted kind; empty = it is not accepted.
  static Optional<Class<? extends KubernetesDocument>> type(String apiVersion, String kind) {
    return Optional.ofNullable(TYPES.get(apiVersion + " " + kind));
  }

  /// A document as far as it could be read.
  ///
  /// @param document null if it could not be read at all
  /// @param errors what is wrong with it; empty = it is valid
  public record Read(@Nullable KubernetesDocument document, List<FieldError> errors) {

    public Read {
      errors = List.copyOf(errors);
    }
  }

  /// Reads a tree of an accepted kind, also one that breaks the rules of its kind.
  ///
  /// @param defaultNamespace for one that names none and needs one
  /// @return empty if its kind is not accepted
  public static Optional<Read> read(DocumentTrees.Tree tree, String defaultNamespace) {
    return type(tree.apiVersion(), tree.kind())
        .map(
            type -> {
              ErrorSink errors = new ErrorSink();
              KubernetesDocument read = ResourceJson.read(tree.node(), type, errors);
              if (read == null) {
                return new Read(null, errors.found());
              }
              KubernetesDocument document = inNamespace(read, defaultNamespace);
              return new Read(document, KubernetesValidator.validate(document));
            });
  }

  /// What is accepted, for an error.
  static String accepted() {
    return TYPES.keySet().stream().collect(Collectors.joining(", "));
  }

  /// Reads a document as a type; null after noting why not.
  ///
  /// @param defaultNamespace for one that names none and needs one
  static @Nullable KubernetesDocument read(
      JsonNode node,
      Class<? extends KubernetesDocument> type,
      String defaultNamespace,
      ErrorSink errors) {
    KubernetesDocument read = ResourceJson.read(node, type, errors);
    if (read == null) {
      return null;
    }
    KubernetesDocument document = inNamespace(read, defaultNamespace);
    List<FieldError> found = KubernetesValidator.validate(document);
    found.forEach(error -> errors.add(error.path(), error.message()));
    return found.isEmpty() ? document : null;
  }

  private static KubernetesDocument inNamespace(
      KubernetesDocument document, String defaultNamespace) {
    if (!document.metadata().namespaceOrEmpty().isEmpty()) {
      return document;
    }
    return switch (document) {
      case KubernetesNetworkPolicy policy ->
          new KubernetesNetworkPolicy(
              policy.metadata().withNamespace(defaultNamespace), policy.spec());
      case KubernetesServiceAccount account ->
          new KubernetesServiceAccount(account.metadata().withNamespace(defaultNamespace));
      case KubernetesPod pod -> pod.withNamespace(defaultNamespace);
      case KubernetesEndpointSlice slice -> slice.withNamespace(defaultNamespace);
      case KubernetesNamespace _,
          KubernetesAdminNetworkPolicy _,
          KubernetesBaselineAdminNetworkPolicy _,
          KubernetesClusterNetworkPolicy _ ->
          document;
    };
  }
}
