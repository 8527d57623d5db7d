package io.margay.cli.policy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.margay.datastore.json.DocumentTrees;
import io.margay.datastore.json.KubernetesDocuments;
import io.margay.model.k8s.AdminPolicy;
import io.margay.model.k8s.Conversion;
import io.margay.model.k8s.ConvertedDocument;
import io.margay.model.k8s.KubernetesConversion;
import io.margay.model.k8s.NodePeers;
import io.margay.model.resource.FieldError;
import io.margay.model.resource.GlobalNetworkPolicy;
import io.margay.model.resource.NetworkPolicy;
import io.margay.model.resource.PolicyType;
import io.margay.model.resource.Resource;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/// What a Kubernetes policy does here that the API server, or `margay apply`, would refuse: never
/// more than it could have meant.
final class InvalidPolicy {

  /// What is said of peers that are unknown, or that need the world outside.
  private static final Pattern OF_A_PEER =
      Pattern.compile(
          "spec\\.(in|e)gress\\[\\d+\\]\\.(from|to)\\[\\d+\\](\\.nodes|\\.domainNames)?");

  private static final int MAX_PRIORITY = 1000;

  /// @param ruleByRule whether only some of its rules are closed; else it is as a whole
  record Closed(ConvertedDocument document, Conversion conversion, boolean ruleByRule) {}

  private final DocumentTrees.Tree tree;
  private final Nodes nodes;

  InvalidPolicy(DocumentTrees.Tree tree, Nodes nodes) {
    this.tree = tree;
    this.nodes = nodes;
  }

  /// @return empty if it is no policy, or if nobody knows whom it selects
  Optional<Closed> closed(KubernetesDocuments.Read read) {
    if (read.document() instanceof AdminPolicy policy && onlyPeers(read.errors())) {
      try {
        AdminPolicy resolved = NodePeers.resolve(policy, nodes::addresses);
        return Optional.of(new Closed(resolved, KubernetesConversion.trace(resolved), true));
      } catch (IllegalArgumentException notASelector) {
        return asAWhole();
      }
    }
    return asAWhole();
  }

  private static boolean onlyPeers(List<FieldError> errors) {
    return errors.stream().allMatch(error -> OF_A_PEER.matcher(error.path()).matches());
  }

  /// The policy reduced to whom it selects and where it stands.
  private Optional<Closed> asAWhole() {
    ObjectNode bare = JsonNodeFactory.instance.objectNode();
    bare.put("apiVersion", tree.apiVersion()).put("kind", tree.kind());
    JsonNode metadata = tree.node().path("metadata");
    ObjectNode named = bare.putObject("metadata").put("name", metadata.path("name").asText(""));
    if (metadata.hasNonNull("namespace")) {
      named.put("namespace", metadata.path("namespace").asText());
    }
    // To the API server a NetworkPolicy without one is one for every pod of its namespace.
    JsonNode given =
        tree.kind().equals("NetworkPolicy") && !tree.node().hasNonNull("spec")
            ? JsonNodeFactory.instance.objectNode()
            : tree.node().path("spec");
    if (!(given instanceof ObjectNode spec)) {
      return Optional.empty();
    }
    ObjectNode place = bare.putObject("spec");
    switch (tree.kind()) {
      case "NetworkPolicy" -> copy(spec, place, "podSelector");
      case "ClusterNetworkPolicy" -> {
        copy(spec, place, "subject");
        String tier = spec.path("tier").asText();
        place.put("tier", tier.equals("Baseline") ? tier : "Admin");
        place.put("priority", priority(spec));
      }
      case "AdminNetworkPolicy" -> {
        copy(spec, place, "subject");
        place.put("priority", priority(spec));
      }
      case "BaselineAdminNetworkPolicy" -> copy(spec, place, "subject");
      default -> {
        return Optional.empty();
      }
    }
    return KubernetesDocuments.read(
            new DocumentTrees.Tree(tree.origin(), bare), WorldReader.DEFAULT_NAMESPACE)
        .filter(read -> read.errors().stream().noneMatch(e -> e.path().startsWith("spec")))
        .map(KubernetesDocuments.Read::document)
        .filter(ConvertedDocument.class::isInstance)
        .map(ConvertedDocument.class::cast)
        .map(
            document ->
                new Closed(document, bothWays(KubernetesConversion.trace(document)), false));
  }

  /// Which directions the policy is for may be what is wrong with it.
  private static Conversion bothWays(Conversion conversion) {
    List<PolicyType> both = List.of(PolicyType.INGRESS, PolicyType.EGRESS);
    Resource closed =
        switch (conversion.resource()) {
          case NetworkPolicy policy ->
              new NetworkPolicy(policy.metadata(), policy.spec().withTypes(both));
          case GlobalNetworkPolicy policy ->
              new GlobalNetworkPolicy(policy.metadata(), policy.spec().withTypes(both));
          default -> conversion.resource();
        };
    return new Conversion(closed, List.of(), List.of());
  }

  private static void copy(ObjectNode spec, ObjectNode place, String field) {
    if (spec.hasNonNull(field)) {
      place.set(field, spec.get(field));
    }
  }

  /// Before all others, if what it says is none.
  private static int priority(ObjectNode spec) {
    int priority = spec.path("priority").asInt(0);
    return priority >= 0 && priority <= MAX_PRIORITY ? priority : 0;
  }
}
