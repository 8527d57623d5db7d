package io.margay.datastore.json;

import io.margay.model.resource.FieldError;

/// One thing wrong with one document of a file.
public record DocumentProblem(Origin origin, FieldError error) {

  /// `file: document N: field path: message`.
  @Override
  public String toString() {
    String item = origin.item();
    return origin + ": " + (item.isEmpty() ? "" : item + ".") + error;
  }
}
