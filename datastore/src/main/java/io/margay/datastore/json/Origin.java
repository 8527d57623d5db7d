package io.margay.datastore.json;

/// Where a document came from, as errors name it.
///
/// @param source the file's name, or `-` for standard input
/// @param document 1-based position of the document in the file
/// @param item path of a List's item, `items[2]`; empty otherwise
public record Origin(String source, int document, String item) {

  /// The document in words: `file: document N`, of a List with the item, `file: document N:
  /// items[2]`.
  public String place() {
    return this + (item.isEmpty() ? "" : ": " + item);
  }

  @Override
  public String toString() {
    return source + ": document " + document;
  }
}
