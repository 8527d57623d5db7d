package io.margay.model.selector;

import java.util.ArrayList;
import java.util.List;

/// Recursive descent over [Token]s; `&&` binds tighter than `||`, `!` tighter than both.
final class Parser {

  private final String text;
  private final List<Token> tokens;
  private int next;
  private int depth;

  private Parser(String text) {
    this.text = text;
    this.tokens = Tokenizer.tokenize(text);
  }

  static SelectorNode parse(String text) {
    if (text.length() > Selector.MAX_LENGTH) {
      throw new SelectorSyntaxException(
          text, Selector.MAX_LENGTH, "longer than " + Selector.MAX_LENGTH + " characters");
    }
    Parser parser = new Parser(text);
    if (parser.tokens.size() == 1) {
      return new SelectorNode.All();
    }
    SelectorNode root = parser.or();
    parser.expect(Token.Kind.END);
    return root;
  }

  private SelectorNode or() {
    List<SelectorNode> operands = new ArrayList<>();
    do {
      operands.add(and());
    } while (take(Token.Kind.OR));
    return operands.size() == 1 ? operands.getFirst() : new SelectorNode.Or(operands);
  }

  private SelectorNode and() {
    List<SelectorNode> operands = new ArrayList<>();
    do {
      operands.add(unary());
    } while (take(Token.Kind.AND));
    return operands.size() == 1 ? operands.getFirst() : new SelectorNode.And(operands);
  }

  private SelectorNode unary() {
    if (++depth > Selector.MAX_NESTING) {
      throw new SelectorSyntaxException(
          text,
          tokens.get(next).position(),
          "nested deeper than " + Selector.MAX_NESTING + " levels");
    }
    SelectorNode node = take(Token.Kind.NOT) ? new SelectorNode.Not(unary()) : atom();
    depth--;
    return node;
  }

  private SelectorNode atom() {
    Token token = tokens.get(next++);
    return switch (token.kind()) {
      case ALL -> new SelectorNode.All();
      case GLOBAL -> new SelectorNode.Global();
      case HAS -> new SelectorNode.Has(token.text());
      case LABEL -> comparison(token.text());
      case LEFT_PARENTHESIS -> {
        SelectorNode inner = or();
        expect(Token.Kind.RIGHT_PARENTHESIS);
        yield inner;
      }
      case STRING,
          RIGHT_PARENTHESIS,
          LEFT_BRACE,
          RIGHT_BRACE,
          COMMA,
          EQUAL,
          NOT_EQUAL,
          IN,
          NOT_IN,
          CONTAINS,
          STARTS_WITH,
          ENDS_WITH,
          NOT,
          AND,
          OR,
          END ->
          throw unexpected(token, "a label, has(…), all(), global(), \"!\" or \"(\"");
    };
  }

  private SelectorNode comparison(String key) {
    Token operator = tokens.get(next++);
    return switch (operator.kind()) {
      case EQUAL -> new SelectorNode.Equal(key, string());
      case NOT_EQUAL -> new SelectorNode.NotEqual(key, string());
      case CONTAINS -> new SelectorNode.Contains(key, string());
      case STARTS_WITH -> new SelectorNode.StartsWith(key, string());
      case ENDS_WITH -> new SelectorNode.EndsWith(key, string());
      case IN -> new SelectorNode.In(key, strings());
      case NOT_IN -> new SelectorNode.NotIn(key, strings());
      case LABEL,
          STRING,
          LEFT_PARENTHESIS,
          RIGHT_PARENTHESIS,
          LEFT_BRACE,
          RIGHT_BRACE,
          COMMA,
          NOT,
          AND,
          OR,
          HAS,
          ALL,
          GLOBAL,
          END ->
          throw unexpected(
              operator,
              "==, !=, in, not in, contains, starts with or ends with after label " + key);
    };
  }

  private String string() {
    return expect(Token.Kind.STRING).text();
  }

  private List<String> strings() {
    List<String> values = new ArrayList<>();
    expect(Token.Kind.LEFT_BRACE);
    while (!take(Token.Kind.RIGHT_BRACE)) {
      values.add(string());
      if (!take(Token.Kind.COMMA)) {
        expect(Token.Kind.RIGHT_BRACE);
        break;
      }
    }
    return values;
  }

  private boolean take(Token.Kind kind) {
    if (tokens.get(next).kind() != kind) {
      return false;
    }
    next++;
    return true;
  }

  private Token expect(Token.Kind kind) {
    Token token = tokens.get(next);
    if (token.kind() != kind) {
      throw unexpected(token, kind.shown());
    }
    next++;
    return token;
  }

  private SelectorSyntaxException unexpected(Token found, String expected) {
    return new SelectorSyntaxException(
        text, found.position(), "expected " + expected + ", found " + found.kind().shown());
  }
}
