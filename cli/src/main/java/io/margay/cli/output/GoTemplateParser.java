package io.margay.cli.output;

import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.DoubleNode;
import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.margay.cli.output.GoTemplate.Expression;
import io.margay.cli.output.GoTemplate.Part;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Reads a Go template, left to right, once.
final class GoTemplateParser {

  /// What ends a block: `{{end}}`, or `{{else}}` and what comes after that word.
  private record Stop(boolean isElse, String rest) {}

  private record Block(List<Part> parts, Stop stop) {}

  private static final Stop AT_END_OF_TEXT = new Stop(false, "");
  private static final Pattern TOKEN =
      Pattern.compile(
          "\\s*(?:(\"(?:[^\"\\\\]|\\\\.)*\"|`[^`]*`)|(:=|[=|(),])|(-?\\d+(?:\\.\\d+)?)"
              + "|(\\$?[A-Za-z_0-9]*(?:\\.[A-Za-z_][A-Za-z_0-9]*)+|\\.|\\$[A-Za-z_0-9]*|[A-Za-z_][A-Za-z_0-9]*))");

  private final String text;
  private int at;
  private boolean trimNext;

  GoTemplateParser(String text) {
    this.text = text;
  }

  List<Part> parse() throws TemplateException {
    Block block = block(false);
    return block.parts();
  }

  private Block block(boolean inside) throws TemplateException {
    List<Part> parts = new ArrayList<>();
    while (at < text.length()) {
      int open = text.indexOf("{{", at);
      int end = open < 0 ? text.length() : open;
      boolean trimBefore = open >= 0 && text.startsWith("{{- ", open);
      String literal = text.substring(at, end);
      literal = trimNext ? literal.stripLeading() : literal;
      literal = trimBefore ? literal.stripTrailing() : literal;
      if (!literal.isEmpty()) {
        parts.add(new Part.Text(literal));
      }
      trimNext = false;
      at = end;
      if (open < 0) {
        break;
      }
      String action = action(trimBefore);
      if (action.isEmpty() || action.startsWith("/*")) {
        continue;
      }
      if (action.equals("end") || action.equals("else") || action.startsWith("else ")) {
        if (!inside) {
          throw problem(action, "no block is open");
        }
        return new Block(
            parts,
            new Stop(
                !action.equals("end"), action.substring(action.equals("end") ? 3 : 4).strip()));
      }
      parts.add(part(action));
    }
    if (inside) {
      throw new TemplateException("go-template: {{end}} is missing");
    }
    return new Block(parts, AT_END_OF_TEXT);
  }

  private String action(boolean trimBefore) throws TemplateException {
    int start = at + (trimBefore ? 3 : 2);
    int close = closing(start);
    String action = text.substring(start, close);
    trimNext = action.endsWith(" -");
    at = close + 2;
    return (trimNext ? action.substring(0, action.length() - 1) : action).strip();
  }

  /// Where the action ends; braces in quotes don't count.
  private int closing(int start) throws TemplateException {
    char quote = 0;
    for (int i = start; i < text.length(); i++) {
      char c = text.charAt(i);
      if (quote != 0) {
        if (c == '\\' && quote == '"') {
          i++;
        } else if (c == quote) {
          quote = 0;
        }
      } else if (c == '"' || c == '`') {
        quote = c;
      } else if (text.startsWith("}}", i)) {
        return i;
      }
    }
    throw new TemplateException("go-template: \"" + text.substring(at) + "\": }} is missing");
  }

  private Part part(String action) throws TemplateException {
    String word = action.split("[\\s(]", 2)[0];
    String rest = action.substring(word.length()).strip();
    return switch (word) {
      case "if" -> branch(rest, false);
      case "with" -> branch(rest, true);
      case "range" -> range(rest);
      case "define", "template", "block", "break", "continue" ->
          throw problem(action, "\"" + word + "\" is not supported");
      default -> {
        Tokens tokens = tokens(action);
        yield tokens.assigns()
            ? new Part.Action(tokens.next(), assigned(tokens))
            : new Part.Action(null, whole(tokens));
      }
    };
  }

  private static Expression assigned(Tokens tokens) throws TemplateException {
    tokens.next();
    return whole(tokens);
  }

  private Part branch(String condition, boolean with) throws TemplateException {
    Expression value = whole(tokens(condition));
    Block then = block(true);
    List<Part> otherwise = otherwise(then.stop());
    return with
        ? new Part.With(value, then.parts(), otherwise)
        : new Part.If(value, then.parts(), otherwise);
  }

  private List<Part> otherwise(Stop stop) throws TemplateException {
    if (!stop.isElse()) {
      return List.of();
    }
    if (stop.rest().startsWith("if ") || stop.rest().startsWith("with ")) {
      return List.of(part(stop.rest()));
    }
    Block block = block(true);
    if (block.stop().isElse()) {
      throw problem("else", "there is one already");
    }
    return block.parts();
  }

  private Part range(String action) throws TemplateException {
    Tokens tokens = tokens(action);
    String index = null;
    String element = null;
    if (tokens.assigns()) {
      element = tokens.next();
      tokens.next();
    } else if (tokens.assignsTwo()) {
      index = tokens.next();
      tokens.next();
      element = tokens.next();
      tokens.next();
    }
    Expression over = whole(tokens);
    Block body = block(true);
    return new Part.Range(index, element, over, body.parts(), otherwise(body.stop()));
  }

  private static Expression whole(Tokens tokens) throws TemplateException {
    Expression value = pipeline(tokens);
    if (!tokens.done()) {
      throw problem(tokens.action(), "did not expect \"" + tokens.peek() + "\"");
    }
    return value;
  }

  private static Expression pipeline(Tokens tokens) throws TemplateException {
    Expression value = command(tokens, null);
    while (tokens.peek().equals("|")) {
      tokens.next();
      value = command(tokens, value);
    }
    return value;
  }

  /// @param piped becomes the last argument
  private static Expression command(Tokens tokens, @Nullable Expression piped)
      throws TemplateException {
    String word = tokens.peek();
    if (!GoFunctions.NAMES.contains(word)) {
      if (piped != null) {
        throw problem(tokens.action(), "\"" + word + "\" is not a function");
      }
      return operand(tokens);
    }
    tokens.next();
    List<Expression> arguments = new ArrayList<>();
    while (!tokens.done() && !tokens.peek().equals("|") && !tokens.peek().equals(")")) {
      arguments.add(operand(tokens));
    }
    if (piped != null) {
      arguments.add(piped);
    }
    return new Expression.Call(word, arguments);
  }

  private static Expression operand(Tokens tokens) throws TemplateException {
    String token = tokens.next();
    char first = token.isEmpty() ? ' ' : token.charAt(0);
    if (token.equals("(")) {
      Expression inner = pipeline(tokens);
      if (!tokens.next().equals(")")) {
        throw problem(tokens.action(), ") is missing");
      }
      return tokens.peek().startsWith(".") && tokens.peek().length() > 1
          ? new Expression.Selected(inner, names(tokens.next()))
          : inner;
    }
    if (first == '"' || first == '`') {
      return new Expression.Literal(TextNode.valueOf(unquoted(token)));
    }
    if (Character.isDigit(first) || first == '-') {
      return new Expression.Literal(
          token.contains(".")
              ? DoubleNode.valueOf(Double.parseDouble(token))
              : IntNode.valueOf(Integer.parseInt(token)));
    }
    if (first == '.') {
      return new Expression.Fields(null, names(token));
    }
    if (first == '$') {
      int dot = token.indexOf('.');
      return dot < 0
          ? new Expression.Fields(token, List.of())
          : new Expression.Fields(token.substring(0, dot), names(token.substring(dot)));
    }
    return switch (token) {
      case "true", "false" -> new Expression.Literal(BooleanNode.valueOf(token.equals("true")));
      case "nil" -> new Expression.Literal(NullNode.getInstance());
      default ->
          throw problem(
              tokens.action(),
              token.isEmpty() ? "a value is missing" : "there is no function \"" + token + "\"");
    };
  }

  private static List<String> names(String dotted) {
    return dotted.equals(".") ? List.of() : List.of(dotted.substring(1).split("\\.", -1));
  }

  private static String unquoted(String token) {
    String inner = token.substring(1, token.length() - 1);
    return token.startsWith("`") ? inner : inner.translateEscapes();
  }

  private static TemplateException problem(String action, String what) {
    return new TemplateException("go-template: {{" + action + "}}: " + what);
  }

  private static Tokens tokens(String action) throws TemplateException {
    List<String> tokens = new ArrayList<>();
    Matcher matcher = TOKEN.matcher(action);
    int at = 0;
    while (at < action.length()) {
      if (!matcher.find(at) || matcher.start() != at) {
        if (action.substring(at).isBlank()) {
          break;
        }
        throw problem(action, "can't read \"" + action.substring(at) + "\"");
      }
      tokens.add(matcher.group().strip());
      at = matcher.end();
    }
    return new Tokens(action, tokens);
  }

  /// The words of one action.
  private static final class Tokens {
    private final String action;
    private final List<String> tokens;
    private int at;

    Tokens(String action, List<String> tokens) {
      this.action = action;
      this.tokens = tokens;
    }

    String action() {
      return action;
    }

    boolean done() {
      return at >= tokens.size();
    }

    String peek() {
      return word(at);
    }

    String next() {
      return word(at++);
    }

    boolean assigns() {
      return word(at).startsWith("$") && (word(at + 1).equals(":=") || word(at + 1).equals("="));
    }

    boolean assignsTwo() {
      return word(at).startsWith("$")
          && word(at + 1).equals(",")
          && word(at + 2).startsWith("$")
          && word(at + 3).equals(":=");
    }

    private String word(int index) {
      return index < tokens.size() ? tokens.get(index) : "";
    }
  }
}
