package io.margay.model.k8s;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.margay.model.selector.LabelLookup;
import java.util.List;
import java.util.Map;

/// A Kubernetes label selector: all its parts are ANDed; none picks everything.
public record LabelSelector(Map<String, String> matchLabels, List<Requirement> matchExpressions) {

  /// No condition.
  public static final LabelSelector EVERYTHING = new LabelSelector(Map.of(), List.of());

  public LabelSelector {
    matchLabels = Given.sorted(matchLabels);
    matchExpressions = Given.list(matchExpressions);
  }

  /// Whether it picks an object with these labels.
  ///
  /// @throws IllegalArgumentException if one of its parts is no condition
  public boolean matches(Map<String, String> labels) {
    return Selectors.namespaces(this).matches(LabelLookup.of(labels));
  }

  boolean isEmpty() {
    return matchLabels.isEmpty() && matchExpressions.isEmpty();
  }

  /// @param key the label
  /// @param operator how it is compared
  /// @param values for In and NotIn only
  public record Requirement(String key, Operator operator, List<String> values) {

    public Requirement {
      key = Given.required(key, "key");
      operator = Given.required(operator, "operator");
      values = Given.list(values);
    }
  }

  public enum Operator {
    @JsonProperty("In")
    IN,
    /// True also for objects without the label.
    @JsonProperty("NotIn")
    NOT_IN,
    @JsonProperty("Exists")
    EXISTS,
    @JsonProperty("DoesNotExist")
    DOES_NOT_EXIST
  }
}
