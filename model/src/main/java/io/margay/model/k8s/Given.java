package io.margay.model.k8s;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// What a document gives, and what stands for it when it does not.
final class Given {

  private Given() {}

  static <T> List<T> list(@Nullable List<T> list) {
    return list == null ? List.of() : List.copyOf(list);
  }

  /// For lists that mean something else when they are empty than when they are not there.
  static <T> @Nullable List<T> orNull(@Nullable List<T> list) {
    return list == null ? null : List.copyOf(list);
  }

  /// A null value is an empty one, as to the API server.
  static Map<String, String> sorted(@Nullable Map<String, String> map) {
    if (map == null) {
      return Map.of();
    }
    TreeMap<String, String> sorted = new TreeMap<>(map);
    sorted.replaceAll((_, value) -> Objects.requireNonNullElse(value, ""));
    return Collections.unmodifiableMap(sorted);
  }

  static <T> T required(@Nullable T value, String field) {
    if (value == null) {
      throw new IllegalArgumentException(field + " is required");
    }
    return value;
  }
}
