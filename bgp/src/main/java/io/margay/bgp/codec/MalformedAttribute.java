package io.margay.bgp.codec;

/// Leaves an attribute's decoder when its value makes no sense. Caught in {@link UpdateDecoder}
/// alone.
final class MalformedAttribute extends Exception {

  private static final long serialVersionUID = 1L;

  MalformedAttribute(String problem) {
    super(problem, null, false, false);
  }

  /// The problem in words.
  String problem() {
    String message = getMessage();
    return message == null ? "malformed" : message;
  }
}
