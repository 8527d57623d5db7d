package io.margay.model.resource;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Defensive copies for the records of this package; a document's missing list or map is empty.
final class Copies {

  private Copies() {}

  static <T> List<T> list(@Nullable List<T> list) {
    return list == null ? List.of() : List.copyOf(list);
  }

  /// Sorted by key, so that documents are written the same way by every process. A null value is an
  /// empty one, as to Calico's and Kubernetes' readers (Go).
  static Map<String, String> labels(@Nullable Map<String, String> labels) {
    if (labels == null || labels.isEmpty()) {
      return Map.of();
    }
    TreeMap<String, String> sorted = new TreeMap<>(labels);
    sorted.replaceAll((_, value) -> Objects.requireNonNullElse(value, ""));
    return Collections.unmodifiableMap(sorted);
  }

  /// In written order; values may be null, as JSON's are.
  static Map<String, Object> json(@Nullable Map<String, Object> object) {
    return object == null || object.isEmpty()
        ? Map.of()
        : Collections.unmodifiableMap(new LinkedHashMap<>(object));
  }

  /// Sorted by name: the reader hands such fields over in no order.
  static Map<String, Object> sorted(@Nullable Map<String, Object> fields) {
    return fields == null || fields.isEmpty()
        ? Map.of()
        : Collections.unmodifiableMap(new TreeMap<>(fields));
  }

  static <T> T required(@Nullable T value, String field) {
    if (value == null) {
      throw new IllegalArgumentException(field + " is required");
    }
    return value;
  }
}
