package io.margay.cni;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.margay.cni.spec.CniError;
import io.margay.cni.spec.CniException;
import io.margay.model.k8s.KubernetesPod;
import io.margay.model.k8s.KubernetesValidator;
import io.margay.model.resource.FieldError;
import io.margay.model.resource.Metadata;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// What the annotations of a pod say, which container runtimes hand on where no API server could be
/// asked.
final class PodAnnotations {

  /// A JSON object of the pod's labels: annotations reach a plugin, labels do not.
  static final String LABELS = "margay.io/labels";

  private static final ObjectMapper JSON = new ObjectMapper();

  private PodAnnotations() {}

  /// The labels an endpoint has without a Pod document: those of the annotations over those of the
  /// network configuration, label by label.
  ///
  /// @throws CniException 7 the annotation is no object of labels
  static Map<String, String> labels(Map<String, String> configured, Map<String, String> annotations)
      throws CniException {
    Map<String, String> labels = new TreeMap<>(configured);
    String said = annotations.get(LABELS);
    if (said != null) {
      labels.putAll(read(said));
    }
    return labels;
  }

  private static Map<String, String> read(String text) throws CniException {
    JsonNode node;
    try {
      node = JSON.readTree(text);
    } catch (JsonProcessingException broken) {
      throw wrong("is not JSON: " + broken.getOriginalMessage());
    }
    if (!node.isObject()) {
      throw wrong("is not a JSON object such as {\"app\":\"web\"}");
    }
    Map<String, String> labels = new TreeMap<>();
    for (Map.Entry<String, JsonNode> field : node.properties()) {
      if (!field.getValue().isTextual()) {
        throw wrong("the value of \"" + field.getKey() + "\" is not text");
      }
      labels.put(field.getKey(), field.getValue().asText());
    }
    List<FieldError> errors =
        KubernetesValidator.validate(
            new KubernetesPod(
                Metadata.named("default", "any").withLabels(labels), KubernetesPod.Spec.EMPTY));
    if (!errors.isEmpty()) {
      throw wrong(errors.getFirst().message());
    }
    return labels;
  }

  private static CniException wrong(String why) {
    return new CniException(CniError.BAD_CONFIG, "pod annotation " + LABELS + ": " + why);
  }
}
