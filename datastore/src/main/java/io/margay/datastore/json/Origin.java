package io.margay.datastore.json;

/// Where a document came from, as errors name it.
///
/// @param source the file's name, or `-` for standard input
/// @param document 1-based position of the document in the file
/// @param item path of a List's item, `items[2]`; empty otherwise
public record Origin(String source, int document, String item) {

  @Override
  public String toString() {
    return source + ": document " + document;
  }
}
