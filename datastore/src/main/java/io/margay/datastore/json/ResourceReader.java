package io.margay.datastore.json;

import com.fasterxml.jackson.databind.JsonNode;
import io.margay.model.k8s.ConvertedDocument;
import io.margay.model.k8s.KubernetesConversion;
import io.margay.model.k8s.KubernetesDocument;
import io.margay.model.k8s.KubernetesEndpointSlice;
import io.margay.model.k8s.KubernetesPod;
import io.margay.model.resource.FieldError;
import io.margay.model.resource.Kind;
import io.margay.model.resource.Resource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/// Reads users' files: YAML or JSON, any number of documents, single resources, Lists and bare
/// lists of them, of Calico's and the accepted Kubernetes kinds. Reads on after a bad document.
public final class ResourceReader {

  /// Longest file accepted, in characters.
  public static final int MAX_LENGTH = DocumentTrees.MAX_LENGTH;

  private final String defaultNamespace;
  private final List<ResourceDocuments.Item> items = new ArrayList<>();
  private final List<ResourceDocuments.PodItem> pods = new ArrayList<>();
  private final List<ResourceDocuments.SliceItem> slices = new ArrayList<>();
  private final List<DocumentProblem> problems = new ArrayList<>();
  private Origin origin = new Origin("", 0, "");

  private ResourceReader(String defaultNamespace) {
    this.defaultNamespace = defaultNamespace;
  }

  /// Reads `text`.
  ///
  /// @param source what errors call the file
  /// @param defaultNamespace for namespaced resources that name none
  public static ResourceDocuments read(String source, String text, String defaultNamespace) {
    ResourceReader reader = new ResourceReader(defaultNamespace);
    reader.readAll(DocumentTrees.read(source, text));
    return new ResourceDocuments(reader.items, reader.pods, reader.slices, reader.problems);
  }

  private void readAll(DocumentTrees trees) {
    for (DocumentTrees.Tree tree : trees.trees()) {
      origin = tree.origin();
      read(tree);
    }
    problems.addAll(trees.problems());
    problems.sort(Comparator.comparingInt(problem -> problem.origin().document()));
  }

  private void read(DocumentTrees.Tree tree) {
    String kind = tree.kind();
    String version = tree.apiVersion();
    if (version.equals(Kind.API_VERSION)) {
      Kind.ofName(kind)
          .ifPresentOrElse(known -> calico(known, tree.node()), () -> unknown(kind, version));
    } else {
      kubernetes(version, kind, tree.node());
    }
  }

  private void unknown(String kind, String version) {
    String known =
        version.equals(Kind.API_VERSION)
            ? "known are "
                + Arrays.stream(Kind.values())
                    .map(Kind::kindName)
                    .sorted()
                    .collect(Collectors.joining(", "))
            : "accepted are the kinds of "
                + Kind.API_VERSION
                + ", and of Kubernetes "
                + KubernetesDocuments.accepted();
    problem("kind", "\"" + kind + "\" of " + version + " is not known; " + known);
  }

  private void calico(Kind kind, JsonNode node) {
    ErrorSink errors = new ErrorSink();
    Resource resource = ResourceJson.read(node, ResourceJson.type(kind), errors);
    if (resource == null) {
      problems(errors.found());
    } else {
      accept(inNamespace(resource));
    }
  }

  private Resource inNamespace(Resource resource) {
    return resource.kind().isNamespaced() && resource.metadata().namespaceOrEmpty().isEmpty()
        ? resource.withMetadata(resource.metadata().withNamespace(defaultNamespace))
        : resource;
  }

  private void kubernetes(String version, String kind, JsonNode node) {
    Optional<Class<? extends KubernetesDocument>> type = KubernetesDocuments.type(version, kind);
    if (type.isEmpty()) {
      unknown(kind, version);
      return;
    }
    ErrorSink errors = new ErrorSink();
    switch (KubernetesDocuments.read(node, type.get(), defaultNamespace, errors)) {
      case null -> problems(errors.found());
      case KubernetesPod pod -> pods.add(new ResourceDocuments.PodItem(origin, pod));
      case KubernetesEndpointSlice slice ->
          slices.add(new ResourceDocuments.SliceItem(origin, slice));
      case ConvertedDocument converted -> accept(converted);
    }
  }

  private void accept(ConvertedDocument kubernetes) {
    Resource resource = KubernetesConversion.convert(kubernetes);
    List<FieldError> found = StagedKubernetesRules.validate(resource);
    if (found.isEmpty()) {
      accept(resource);
    } else {
      found.forEach(
          error ->
              problem(
                  error.path(),
                  error.message() + " (in " + resource.ref() + ", which it becomes)"));
    }
  }

  private void accept(Resource resource) {
    List<FieldError> found = StagedKubernetesRules.validate(resource);
    if (found.isEmpty()) {
      items.add(new ResourceDocuments.Item(origin, resource, UnknownFields.of(resource)));
    } else {
      problems(found);
    }
  }

  private void problems(List<FieldError> errors) {
    errors.forEach(error -> problem(error.path(), error.message()));
  }

  private void problem(String field, String message) {
    problems.add(new DocumentProblem(origin, new FieldError(field, message)));
  }
}
