package io.margay.model.selector;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The labels of one object, own and inherited, as a selector asks for them.
@FunctionalInterface
public interface LabelLookup {

  /// The value of label `key`, or null when the object does not carry it.
  @Nullable String get(String key);

  /// Labels that are all in one map.
  static LabelLookup of(Map<String, String> labels) {
    return labels::get;
  }
}
