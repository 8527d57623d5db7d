package io.margay.model.selector;

import java.util.ArrayList;
import java.util.List;

/// Cuts selector text into [Token]s. An operator made of letters is one only right after a label,
/// so labels may be named `in`, `has` or `contains`.
final class Tokenizer {

  private final String text;
  private final List<Token> tokens = new ArrayList<>();
  private int at;

  private Tokenizer(String text) {
    this.text = text;
  }

  /// The words of `text`, the last one being [Token.Kind#END].
  static List<Token> tokenize(String text) {
    return new Tokenizer(text).run();
  }

  private List<Token> run() {
    while (true) {
      skipBlanks();
      if (at == text.length()) {
        add(Token.Kind.END, "", at);
        return tokens;
      }
      char c = text.charAt(at);
      switch (c) {
        case '(' -> single(Token.Kind.LEFT_PARENTHESIS);
        case ')' -> single(Token.Kind.RIGHT_PARENTHESIS);
        case '{' -> single(Token.Kind.LEFT_BRACE);
        case '}' -> single(Token.Kind.RIGHT_BRACE);
        case ',' -> single(Token.Kind.COMMA);
        case '"', '\'' -> string(c);
        case '=' -> doubled(Token.Kind.EQUAL, "==");
        case '&' -> doubled(Token.Kind.AND, "&&");
        case '|' -> doubled(Token.Kind.OR, "||");
        case '!' -> {
          if (text.startsWith("!=", at)) {
            add(Token.Kind.NOT_EQUAL, "!=", at);
            at += 2;
          } else {
            single(Token.Kind.NOT);
          }
        }
        default -> word();
      }
    }
  }

  private void skipBlanks() {
    while (at < text.length() && (text.charAt(at) == ' ' || text.charAt(at) == '\t')) {
      at++;
    }
  }

  private void single(Token.Kind kind) {
    add(kind, text.substring(at, at + 1), at);
    at++;
  }

  private void doubled(Token.Kind kind, String word) {
    if (!text.startsWith(word, at)) {
      throw new SelectorSyntaxException(text, at, "expected \"" + word + "\"");
    }
    add(kind, word, at);
    at += 2;
  }

  private void string(char quote) {
    int end = text.indexOf(quote, at + 1);
    if (end < 0) {
      throw new SelectorSyntaxException(text, at, "the string has no closing " + quote);
    }
    add(Token.Kind.STRING, text.substring(at + 1, end), at);
    at = end + 1;
  }

  private void word() {
    if (!tokens.isEmpty() && tokens.getLast().kind() == Token.Kind.LABEL) {
      operator();
    } else if (text.startsWith("has(", at)) {
      call(Token.Kind.HAS, "has(");
    } else if (text.startsWith("all(", at)) {
      call(Token.Kind.ALL, "all(");
    } else if (text.startsWith("global(", at)) {
      call(Token.Kind.GLOBAL, "global(");
    } else {
      int start = at;
      add(Token.Kind.LABEL, label(), start);
    }
  }

  private void operator() {
    int start = at;
    if (take("contains")) {
      add(Token.Kind.CONTAINS, "contains", start);
    } else if (takeBoth("starts", "with")) {
      add(Token.Kind.STARTS_WITH, "starts with", start);
    } else if (takeBoth("ends", "with")) {
      add(Token.Kind.ENDS_WITH, "ends with", start);
    } else if (takeBoth("not", "in")) {
      add(Token.Kind.NOT_IN, "not in", start);
    } else if (take("in")) {
      add(Token.Kind.IN, "in", start);
    } else {
      throw new SelectorSyntaxException(
          text,
          start,
          "expected ==, !=, in, not in, contains, starts with or ends with after label "
              + tokens.getLast().text());
    }
  }

  private boolean take(String word) {
    if (!text.startsWith(word, at)) {
      return false;
    }
    at += word.length();
    return true;
  }

  /// Both words or neither; blanks between them may be left out.
  private boolean takeBoth(String first, String second) {
    int start = at;
    if (take(first)) {
      skipBlanks();
      if (take(second)) {
        return true;
      }
    }
    at = start;
    return false;
  }

  private void call(Token.Kind kind, String opening) {
    int start = at;
    at += opening.length();
    skipBlanks();
    String argument = kind == Token.Kind.HAS ? label() : "";
    skipBlanks();
    if (!take(")")) {
      throw new SelectorSyntaxException(text, at, "expected \")\" to close " + opening);
    }
    add(kind, argument, start);
  }

  private String label() {
    int start = at;
    while (at < text.length() && isLabelCharacter(text.charAt(at))) {
      at++;
    }
    if (at == start) {
      throw new SelectorSyntaxException(
          text,
          start,
          at == text.length()
              ? "expected a label, found the end"
              : "\""
                  + text.charAt(at)
                  + "\" can't be here; a label is made of A-Z a-z 0-9 _ . / -");
    }
    if (at - start > Selector.MAX_LABEL_LENGTH) {
      throw new SelectorSyntaxException(
          text, start, "the label is longer than " + Selector.MAX_LABEL_LENGTH + " characters");
    }
    return text.substring(start, at);
  }

  private static boolean isLabelCharacter(char c) {
    return c >= 'a' && c <= 'z'
        || c >= 'A' && c <= 'Z'
        || c >= '0' && c <= '9'
        || c == '_'
        || c == '.'
        || c == '/'
        || c == '-';
  }

  private void add(Token.Kind kind, String value, int position) {
    tokens.add(new Token(kind, value, position));
  }
}
