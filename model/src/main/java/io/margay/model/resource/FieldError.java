package io.margay.model.resource;

/// One thing wrong with one field of a document.
///
/// @param path the field from the document's root: `spec.ingress[0].source.nets[1]`
/// @param message what is wrong with it and what would be right
public record FieldError(String path, String message) {

  /// `path: message`.
  @Override
  public String toString() {
    return path + ": " + message;
  }
}
