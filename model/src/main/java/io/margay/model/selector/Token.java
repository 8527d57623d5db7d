package io.margay.model.selector;

/// A word of the selector language and where it stands.
///
/// @param kind which word
/// @param text label or string content; the word itself otherwise
/// @param position 0-based column
record Token(Kind kind, String text, int position) {

  enum Kind {
    LABEL("a label"),
    STRING("a string in quotes"),
    LEFT_PARENTHESIS("\"(\""),
    RIGHT_PARENTHESIS("\")\""),
    LEFT_BRACE("\"{\""),
    RIGHT_BRACE("\"}\""),
    COMMA("\",\""),
    EQUAL("\"==\""),
    NOT_EQUAL("\"!=\""),
    IN("\"in\""),
    NOT_IN("\"not in\""),
    CONTAINS("\"contains\""),
    STARTS_WITH("\"starts with\""),
    ENDS_WITH("\"ends with\""),
    NOT("\"!\""),
    AND("\"&&\""),
    OR("\"||\""),
    HAS("\"has(…)\""),
    ALL("\"all()\""),
    GLOBAL("\"global()\""),
    END("the end");

    private final String shown;

    Kind(String shown) {
      this.shown = shown;
    }

    /// As error messages name it.
    String shown() {
      return shown;
    }
  }
}
