package io.margay.model.selector;

/// A text that is not a selector. The message names the text, the column and what was expected
/// there.
public final class SelectorSyntaxException extends IllegalArgumentException {

  private final int position;

  SelectorSyntaxException(String text, int position, String problem) {
    super("selector \"" + shown(text) + "\", column " + (position + 1) + ": " + problem);
    this.position = position;
  }

  private static String shown(String text) {
    int limit = 120;
    return text.length() <= limit ? text : text.substring(0, limit) + "…";
  }

  /// Where in the text, 0-based.
  public int position() {
    return position;
  }
}
