package io.margay.cli.policy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.datastore.KeyValue;
import io.margay.datastore.json.Decoded;
import io.margay.datastore.json.DocumentProblem;
import io.margay.datastore.json.DocumentTrees;
import io.margay.datastore.json.EndpointSliceDocuments;
import io.margay.datastore.json.KubernetesDocuments;
import io.margay.datastore.json.Origin;
import io.margay.datastore.json.ResourceJson;
import io.margay.datastore.json.ResourceKeys;
import io.margay.model.k8s.ConvertedDocument;
import io.margay.model.k8s.KubernetesConversion;
import io.margay.model.k8s.KubernetesEndpointSlice;
import io.margay.model.k8s.KubernetesNamespace;
import io.margay.model.k8s.KubernetesPod;
import io.margay.model.k8s.KubernetesServiceAccount;
import io.margay.model.net.IpAddress;
import io.margay.model.resource.FieldError;
import io.margay.model.resource.GlobalNetworkPolicy;
import io.margay.model.resource.Kind;
import io.margay.model.resource.Metadata;
import io.margay.model.resource.NetworkSet;
import io.margay.model.resource.Node;
import io.margay.model.resource.Resource;
import io.margay.model.resource.ResourceRef;
import io.margay.model.resource.WorkloadEndpoint;
import io.margay.policy.PolicyKey;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/// Makes a [World] of documents: what `margay apply` would store of the valid ones, what the agent
/// would do about invalid ones, and what exists in a cluster without anybody writing it.
///
/// Of documents that name one thing, the last counts.
final class WorldReader {

  static final String DEFAULT_NAMESPACE = "default";

  /// What a pod runs as when nobody says otherwise (Kubernetes).
  private static final String DEFAULT_SERVICE_ACCOUNT = "default";

  private static final Set<String> ADMIN_KINDS =
      Set.of("AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy");

  private final Map<ResourceRef, Resource> resources = new LinkedHashMap<>();
  private final Map<ResourceRef, World.Unreadable> unreadable = new LinkedHashMap<>();
  private final Map<PolicyKey, WrittenPolicy> written = new HashMap<>();
  private final List<String> warnings = new ArrayList<>();
  private final Nodes nodes = new Nodes();
  private final PodReader pods;

  private WorldReader(PodReader.Wiring wiring) {
    pods = new PodReader(nodes, wiring);
  }

  /// @param wiring where pods' endpoints are
  static World read(List<DocumentTrees> documents, PodReader.Wiring wiring) {
    WorldReader reader = new WorldReader(wiring);
    reader.readAll(documents);
    return reader.world();
  }

  /// The world of a datastore.
  ///
  /// @param stored keys of v3 resources and of services' endpoints
  static World ofStore(Iterable<KeyValue> stored, PodReader.Wiring wiring) {
    WorldReader reader = new WorldReader(wiring);
    for (KeyValue item : stored) {
      switch (decoded(item).orElse(null)) {
        case null -> {}
        case Decoded.Valid(Resource resource) -> reader.accept(resource);
        case Decoded.Invalid(ResourceRef ref, List<FieldError> errors, var readable) -> {
          reader.warnings.add(
              ref + " is stored and not valid, " + effect(ref) + ": " + text(errors));
          reader.refuse(ref, new World.Unreadable(readable.orElse(null), text(errors)));
        }
      }
    }
    return reader.world();
  }

  private static Optional<Decoded> decoded(KeyValue item) {
    return EndpointSliceDocuments.parseKey(item.key())
        .map(ref -> EndpointSliceDocuments.decode(ref, item.value()))
        .or(() -> ResourceJson.decode(item.key(), item.value(), item.modRevision()));
  }

  private void readAll(List<DocumentTrees> documents) {
    List<DocumentTrees.Tree> trees = new ArrayList<>();
    for (DocumentTrees file : documents) {
      file.problems().stream().map(DocumentProblem::toString).forEach(warnings::add);
      trees.addAll(file.trees());
    }
    // Policies may mean nodes by their labels.
    for (DocumentTrees.Tree tree : trees) {
      if (isNode(tree)) {
        warnings.addAll(nodes.read(tree));
      }
    }
    for (DocumentTrees.Tree tree : trees) {
      if (tree.apiVersion().equals(Kind.API_VERSION)) {
        calico(tree);
      } else if (!isNode(tree)) {
        kubernetes(tree);
      }
    }
  }

  private static boolean isNode(DocumentTrees.Tree tree) {
    return tree.apiVersion().equals("v1") && tree.kind().equals("Node");
  }

  private World world() {
    warnings.addAll(pods.finish());
    pods.endpoints().forEach(endpoint -> resources.put(endpoint.ref(), endpoint));
    impliedProfiles();
    warnOfEqualPriorities();
    return new World(
        resources,
        unreadable,
        pods.pods(),
        pods.lost(),
        new Hosts(resources.values(), nodes.byAddress()),
        written,
        warnings);
  }

  private void warn(Origin origin, String what) {
    warnings.add(origin.place() + ": " + what);
  }

  private static String text(List<FieldError> errors) {
    return errors.stream()
        .map(error -> error.path() + " " + error.message())
        .collect(Collectors.joining("; "));
  }

  /// As it would be read from the store.
  private void calico(DocumentTrees.Tree tree) {
    Kind kind = Kind.ofName(tree.kind()).filter(Kind::isStoredAsResource).orElse(null);
    JsonNode metadata = tree.node().path("metadata");
    String name = metadata.path("name").asText("");
    if (kind == null || name.isEmpty()) {
      warn(tree.origin(), kind == null ? unknown(tree) : "metadata.name is required; ignored");
      return;
    }
    String namespace = metadata.path("namespace").asText("");
    JsonNode document = tree.node();
    if (kind.isNamespaced() && namespace.isEmpty()) {
      namespace = DEFAULT_NAMESPACE;
      document = document.deepCopy();
      ((ObjectNode) document.path("metadata")).put("namespace", namespace);
    }
    ResourceRef ref = new ResourceRef(kind, kind.isNamespaced() ? namespace : "", name);
    String key = ResourceKeys.key(ref);
    switch (ResourceJson.decode(key, document.toString(), 0).orElse(null)) {
      case null -> warn(tree.origin(), "\"" + name + "\" is not a name; ignored");
      case Decoded.Valid(Resource resource) -> accept(resource);
      case Decoded.Invalid(ResourceRef _, List<FieldError> errors, var readable) -> {
        warn(tree.origin(), ref + " is not valid, " + effect(ref) + ": " + text(errors));
        refuse(ref, new World.Unreadable(readable.orElse(null), text(errors)));
      }
    }
  }

  private static String effect(ResourceRef ref) {
    return switch (ref.kind()) {
      case NETWORK_POLICY, GLOBAL_NETWORK_POLICY -> "it denies what it selects";
      case NETWORK_SET, GLOBAL_NETWORK_SET -> "its valid nets count";
      default -> "it counts as absent";
    };
  }

  private static String unknown(DocumentTrees.Tree tree) {
    return tree.kind() + " of " + tree.apiVersion() + " has no say about packets; ignored";
  }

  private void accept(Resource resource) {
    unreadable.remove(resource.ref());
    switch (resource) {
      case WorkloadEndpoint endpoint -> pods.endpoint(endpoint);
      case Node node -> {
        nodes.read(node);
        resources.put(resource.ref(), resource);
      }
      default -> resources.put(resource.ref(), resource);
    }
  }

  private void refuse(ResourceRef ref, World.Unreadable it) {
    resources.remove(ref);
    unreadable.put(ref, it);
  }

  private void kubernetes(DocumentTrees.Tree tree) {
    boolean admin = ADMIN_KINDS.contains(tree.kind());
    DocumentTrees.Tree known =
        admin ? new DocumentTrees.Tree(tree.origin(), UnknownPeers.emptied(tree.node())) : tree;
    KubernetesDocuments.Read read = KubernetesDocuments.read(known, DEFAULT_NAMESPACE).orElse(null);
    if (read == null) {
      warn(tree.origin(), unknown(tree));
      return;
    }
    switch (read.document()) {
      case KubernetesPod pod -> pods.pod(tree, pod, read.errors());
      case KubernetesEndpointSlice slice when read.errors().isEmpty() -> accept(slice.translated());
      case ConvertedDocument document when read.errors().isEmpty() -> convert(tree, document);
      case null, default -> {
        if (tree.kind().equals("Pod")) {
          warnings.addAll(pods.unreadable(tree, text(read.errors())));
        } else {
          invalid(tree, read);
        }
      }
    }
  }

  private void convert(DocumentTrees.Tree tree, ConvertedDocument document) {
    var conversion = KubernetesConversion.trace(document);
    if (!(document instanceof KubernetesNamespace
        || document instanceof KubernetesServiceAccount)) {
      written.put(key(conversion.resource()), WrittenPolicy.of(tree.kind(), document, conversion));
    }
    accept(conversion.resource());
  }

  /// A policy that the door would refuse: rule by rule if its API says how, else as a whole.
  private void invalid(DocumentTrees.Tree tree, KubernetesDocuments.Read read) {
    warn(tree.origin(), named(tree) + " would be refused: " + text(read.errors()));
    new InvalidPolicy(tree, nodes)
        .closed(read)
        .ifPresentOrElse(
            closed -> {
              WrittenPolicy as =
                  WrittenPolicy.of(tree.kind(), closed.document(), closed.conversion());
              written.put(key(closed.conversion().resource()), as);
              if (closed.ruleByRule()) {
                accept(closed.conversion().resource());
              } else {
                refuse(
                    closed.conversion().resource().ref(),
                    new World.Unreadable(closed.conversion().resource(), text(read.errors())));
              }
            },
            () ->
                warn(
                    tree.origin(),
                    "what " + named(tree) + " selects is not known; it does nothing"));
  }

  private static String named(DocumentTrees.Tree tree) {
    JsonNode metadata = tree.node().path("metadata");
    String namespace =
        ADMIN_KINDS.contains(tree.kind())
            ? ""
            : metadata.path("namespace").asText(DEFAULT_NAMESPACE) + "/";
    return tree.kind() + " " + namespace + metadata.path("name").asText("");
  }

  private static PolicyKey key(Resource resource) {
    return new PolicyKey(
        resource.kind().kindName(),
        resource.metadata().namespaceOrEmpty(),
        resource.metadata().name());
  }

  /// Their API leaves it open which of them comes first; here names say.
  private void warnOfEqualPriorities() {
    Map<String, List<String>> atPlace = new TreeMap<>();
    written.forEach(
        (key, policy) -> {
          if (resources.get(new ResourceRef(Kind.GLOBAL_NETWORK_POLICY, "", key.name()))
              instanceof GlobalNetworkPolicy enforced) {
            atPlace
                .computeIfAbsent(
                    enforced.spec().effectiveTier() + " " + enforced.spec().effectiveOrder(),
                    _ -> new ArrayList<>())
                .add(policy.kind() + " " + policy.name());
          }
        });
    atPlace.values().stream()
        .filter(names -> names.size() > 1)
        .forEach(
            names ->
                warnings.add(
                    names.stream().sorted().collect(Collectors.joining(", "))
                        + ": of equal priority; they are asked in this order"));
  }

  /// Namespaces and accounts that are used without being written.
  private void impliedProfiles() {
    for (Resource resource : List.copyOf(resources.values())) {
      switch (resource) {
        case WorkloadEndpoint endpoint -> {
          implyNamespace(endpoint.metadata().namespaceOrEmpty());
          String account = endpoint.spec().serviceAccountName();
          imply(
              new KubernetesServiceAccount(
                  Metadata.named(
                      endpoint.metadata().namespaceOrEmpty(),
                      account == null ? DEFAULT_SERVICE_ACCOUNT : account)));
        }
        case NetworkSet set -> implyNamespace(set.metadata().namespaceOrEmpty());
        default -> {
          // Nothing else takes labels from a namespace.
        }
      }
    }
  }

  private void implyNamespace(String name) {
    imply(new KubernetesNamespace(Metadata.named(name)));
  }

  private void imply(ConvertedDocument document) {
    Resource profile = KubernetesConversion.convert(document);
    if (!unreadable.containsKey(profile.ref())) {
      resources.putIfAbsent(profile.ref(), profile);
    }
  }

  static List<IpAddress> addresses(List<String> texts) {
    List<IpAddress> addresses = new ArrayList<>();
    for (String text : texts) {
      IpAddress address = IpAddress.parse(text);
      if (!addresses.contains(address)) {
        addresses.add(address);
      }
    }
    return addresses;
  }
}
