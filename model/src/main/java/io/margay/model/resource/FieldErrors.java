package io.margay.model.resource;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Collects the errors of one document, in the order they are found.
final class FieldErrors {

  private final List<FieldError> found = new ArrayList<>();

  List<FieldError> found() {
    return List.copyOf(found);
  }

  void add(String path, String message) {
    found.add(new FieldError(path, message));
  }

  void unless(boolean fine, String path, String message) {
    if (!fine) {
      add(path, message);
    }
  }

  void range(@Nullable Integer value, int first, int last, String path) {
    if (value != null && (value < first || value > last)) {
      add(path, value + " is not in " + first + ".." + last);
    }
  }

  void oneOf(@Nullable String value, Set<String> allowed, String path) {
    if (value != null && !allowed.contains(value)) {
      add(
          path,
          "\""
              + value
              + "\" is not one of "
              + String.join(", ", allowed.stream().sorted().toList()));
    }
  }

  /// Every entry is one of `allowed`, and none is there twice.
  void eachOneOf(List<String> values, Set<String> allowed, String path) {
    for (int i = 0; i < values.size(); i++) {
      oneOf(values.get(i), allowed, path + "[" + i + "]");
    }
    distinct(values, path);
  }

  void present(@Nullable Object value, String path) {
    if (value == null || value instanceof String text && text.isEmpty()) {
      add(path, "is required");
    }
  }

  void distinct(List<?> list, String path) {
    unless(new HashSet<>(list).size() == list.size(), path, "names something twice");
  }

  void atMost(List<?> list, int limit, String path) {
    if (list.size() > limit) {
      add(path, list.size() + " entries; at most " + limit + " are allowed");
    }
  }
}
