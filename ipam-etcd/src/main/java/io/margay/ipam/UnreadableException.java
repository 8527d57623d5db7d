package io.margay.ipam;

import io.margay.datastore.KeyValue;

/// A request can't go on without a document that can't be read. Ends that request, or its work on
/// that document, and nothing else.
final class UnreadableException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  private final transient Unreadable document;

  UnreadableException(Unreadable document) {
    super(document.sentence(), null, false, false);
    this.document = document;
  }

  Unreadable document() {
    return document;
  }

  /// The block that a document is.
  static Block block(KeyValue item) {
    try {
      return Block.parse(item.key(), item.value());
    } catch (IllegalArgumentException wrong) {
      throw new UnreadableException(new Unreadable(item.key(), String.valueOf(wrong.getMessage())));
    }
  }

  /// The claim that a document is.
  static BlockAffinity claim(KeyValue item) {
    try {
      return BlockAffinity.parse(item.key(), item.value());
    } catch (IllegalArgumentException wrong) {
      throw new UnreadableException(new Unreadable(item.key(), String.valueOf(wrong.getMessage())));
    }
  }
}
