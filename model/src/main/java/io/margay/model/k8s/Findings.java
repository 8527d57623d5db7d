package io.margay.model.k8s;

import io.margay.model.resource.FieldError;
import io.margay.model.resource.Metadata;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What is wrong with one Kubernetes document, collected field by field; and the checks that all
/// kinds share.
final class Findings {

  private final List<FieldError> errors = new ArrayList<>();

  void add(String path, String message) {
    errors.add(new FieldError(path, message));
  }

  void unless(boolean holds, String path, String message) {
    if (!holds) {
      add(path, message);
    }
  }

  List<FieldError> found() {
    return List.copyOf(errors);
  }

  /// An object in a namespace.
  void namespaced(Metadata metadata) {
    name(metadata);
    if (metadata.namespaceOrEmpty().isEmpty()) {
      add("metadata.namespace", "is required");
    } else {
      namespace(metadata.namespaceOrEmpty(), "metadata.namespace");
    }
  }

  /// An object of the whole cluster.
  void clusterWide(Metadata metadata, String kind) {
    name(metadata);
    unless(
        metadata.namespaceOrEmpty().isEmpty(),
        "metadata.namespace",
        "a " + kind + " is in no namespace; remove it");
  }

  private void name(Metadata metadata) {
    unless(
        KubernetesNames.isName(metadata.name()),
        "metadata.name",
        "\""
            + metadata.name()
            + "\" is not a name: 1 to "
            + KubernetesNames.MAX_NAME
            + " of a-z 0-9 - and ., starting and ending with a letter or digit");
    labels(metadata.labels(), "metadata.labels");
  }

  void namespace(String name, String path) {
    unless(
        KubernetesNames.isNamespace(name),
        path,
        "\""
            + name
            + "\" is not a namespace: 1 to "
            + KubernetesNames.MAX_LABEL
            + " of a-z 0-9 and -, starting and ending with a letter or digit");
  }

  void labels(Map<String, String> labels, String path) {
    labels.forEach(
        (key, value) -> {
          key(key, path);
          value(value, path);
        });
  }

  void selector(@Nullable LabelSelector selector, String path) {
    if (selector == null) {
      return;
    }
    labels(selector.matchLabels(), path + ".matchLabels");
    for (int i = 0; i < selector.matchExpressions().size(); i++) {
      requirement(selector.matchExpressions().get(i), path + ".matchExpressions[" + i + "]");
    }
  }

  private void requirement(LabelSelector.Requirement requirement, String path) {
    key(requirement.key(), path + ".key");
    requirement.values().forEach(value -> value(value, path + ".values"));
    boolean takesValues =
        switch (requirement.operator()) {
          case IN, NOT_IN -> true;
          case EXISTS, DOES_NOT_EXIST -> false;
        };
    if (takesValues == requirement.values().isEmpty()) {
      add(path + ".values", takesValues ? "is required" : "must be empty");
    }
  }

  private void key(String key, String path) {
    unless(
        KubernetesNames.isLabelKey(key),
        path,
        "\""
            + key
            + "\" is not a label key: [prefix/]name, the name at most "
            + KubernetesNames.MAX_LABEL
            + " of A-Z a-z 0-9 - _ and .");
  }

  private void value(String value, String path) {
    unless(
        KubernetesNames.isLabelValue(value),
        path,
        "\""
            + value
            + "\" is not a label value: at most "
            + KubernetesNames.MAX_LABEL
            + " of A-Z a-z 0-9 - _ and .");
  }

  /// The name of a container's port.
  void portName(String name, String path) {
    unless(
        KubernetesNames.isPortName(name),
        path,
        "\""
            + name
            + "\" is not a port's name: at most "
            + KubernetesNames.MAX_PORT_NAME
            + " of a-z 0-9 and -, at least one letter, no -- and no - at an end");
  }

  void range(int number, int least, int most, String path) {
    unless(number >= least && number <= most, path, number + " is not in " + least + ".." + most);
  }
}
