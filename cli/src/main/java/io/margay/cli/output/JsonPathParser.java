package io.margay.cli.output;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.DoubleNode;
import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Reads a JSON path template, left to right, once.
final class JsonPathParser {

  private static final List<String> OPERATORS = List.of("==", "!=", "<=", ">=", "<", ">");
  private static final String ENDS_NAME = ".[]{}()=!<>,\"' ";

  private final String text;
  private int at;

  JsonPathParser(String text) {
    this.text = text;
  }

  List<JsonPath.Part> parse() throws TemplateException {
    List<JsonPath.Part> parts = parts(false);
    if (at < text.length()) {
      throw problem("{end} without {range …}");
    }
    return parts;
  }

  private List<JsonPath.Part> parts(boolean inRange) throws TemplateException {
    List<JsonPath.Part> parts = new ArrayList<>();
    while (at < text.length()) {
      int brace = text.indexOf('{', at);
      String literal = text.substring(at, brace < 0 ? text.length() : brace);
      if (!literal.isEmpty()) {
        parts.add(new JsonPath.Part.Text(literal));
        at += literal.length();
      }
      if (brace < 0) {
        break;
      }
      int start = at++;
      blanks();
      if (word("end")) {
        if (!inRange) {
          at = start;
          return parts;
        }
        close();
        return parts;
      }
      braced(parts);
    }
    if (inRange) {
      throw problem("{range …} without {end}");
    }
    return parts;
  }

  private void braced(List<JsonPath.Part> parts) throws TemplateException {
    if (word("range")) {
      blanks();
      boolean fromRoot = peek('$');
      List<PathStep> steps = path();
      close();
      parts.add(new JsonPath.Part.Range(fromRoot, steps, parts(true)));
      return;
    }
    do {
      if (peek('"') || peek('\'')) {
        parts.add(new JsonPath.Part.Text(quoted()));
      } else {
        boolean fromRoot = peek('$');
        parts.add(new JsonPath.Part.Print(fromRoot, path()));
      }
      blanks();
    } while (at < text.length() && !peek('}'));
    close();
  }

  private List<PathStep> path() throws TemplateException {
    List<PathStep> steps = new ArrayList<>();
    if (peek('$') || peek('@')) {
      at++;
    }
    int start = at;
    while (at < text.length()) {
      if (text.startsWith("..", at)) {
        at += 2;
        steps.add(new PathStep.Below());
        if (!peek('[')) {
          steps.add(named());
        }
      } else if (peek('.')) {
        at++;
        if (at < text.length() && ENDS_NAME.indexOf(text.charAt(at)) < 0) {
          steps.add(named());
        }
      } else if (peek('[')) {
        at++;
        steps.add(bracketed());
        expect(']');
      } else {
        break;
      }
    }
    if (at == start
        && start > 0
        && text.charAt(start - 1) != '$'
        && text.charAt(start - 1) != '@') {
      throw problem("expected a path such as .metadata.name");
    }
    return steps;
  }

  private PathStep named() throws TemplateException {
    if (peek('*')) {
      at++;
      return new PathStep.Every();
    }
    StringBuilder name = new StringBuilder();
    while (at < text.length() && ENDS_NAME.indexOf(text.charAt(at)) < 0) {
      if (peek('\\') && at + 1 < text.length()) {
        at++;
      }
      name.append(text.charAt(at++));
    }
    if (name.isEmpty()) {
      throw problem("expected a field's name");
    }
    return new PathStep.Field(name.toString());
  }

  private PathStep bracketed() throws TemplateException {
    if (peek('?')) {
      at++;
      return filter();
    }
    List<PathStep> steps = new ArrayList<>();
    do {
      blanks();
      steps.add(selected());
      blanks();
    } while (comma());
    return steps.size() == 1 ? steps.getFirst() : new PathStep.Union(steps);
  }

  private boolean comma() {
    if (peek(',')) {
      at++;
      return true;
    }
    return false;
  }

  private PathStep selected() throws TemplateException {
    if (peek('*')) {
      at++;
      return new PathStep.Every();
    }
    if (peek('"') || peek('\'')) {
      return new PathStep.Field(quoted());
    }
    Integer from = number();
    if (!peek(':')) {
      if (from == null) {
        throw problem("expected an index, a name in quotes, * or ?(…)");
      }
      return PathStep.Slice.index(from);
    }
    at++;
    Integer to = number();
    int step = 1;
    if (peek(':')) {
      at++;
      Integer given = number();
      step = given == null ? 1 : given;
    }
    if (step < 1) {
      throw problem("a slice's step is at least 1");
    }
    return new PathStep.Slice(from, to, step);
  }

  private @Nullable Integer number() throws TemplateException {
    int start = at;
    if (peek('-')) {
      at++;
    }
    while (at < text.length() && Character.isDigit(text.charAt(at))) {
      at++;
    }
    if (at == start) {
      return null;
    }
    try {
      return Integer.valueOf(text.substring(start, at));
    } catch (NumberFormatException tooLong) {
      throw problem("\"" + text.substring(start, at) + "\" is not a number");
    }
  }

  private PathStep filter() throws TemplateException {
    expect('(');
    blanks();
    PathStep.Operand left = operand();
    blanks();
    for (String operator : OPERATORS) {
      if (text.startsWith(operator, at)) {
        at += operator.length();
        blanks();
        PathStep.Operand right = operand();
        blanks();
        expect(')');
        return new PathStep.Filter(left, operator, right);
      }
    }
    expect(')');
    return new PathStep.Filter(left, "", left);
  }

  private PathStep.Operand operand() throws TemplateException {
    if (peek('@') || peek('$') || peek('.')) {
      return new PathStep.Operand.Path(path());
    }
    if (peek('"') || peek('\'')) {
      return new PathStep.Operand.Literal(TextNode.valueOf(quoted()));
    }
    int start = at;
    while (at < text.length() && ")=!<> ".indexOf(text.charAt(at)) < 0) {
      at++;
    }
    return new PathStep.Operand.Literal(literal(text.substring(start, at)));
  }

  private JsonNode literal(String word) throws TemplateException {
    if (word.equals("true") || word.equals("false")) {
      return BooleanNode.valueOf(word.equals("true"));
    }
    try {
      return word.contains(".")
          ? DoubleNode.valueOf(Double.parseDouble(word))
          : IntNode.valueOf(Integer.parseInt(word));
    } catch (NumberFormatException neither) {
      throw problem("\"" + word + "\" is neither a number, true, false nor in quotes");
    }
  }

  private String quoted() throws TemplateException {
    char quote = text.charAt(at++);
    StringBuilder value = new StringBuilder();
    while (at < text.length() && text.charAt(at) != quote) {
      char c = text.charAt(at++);
      if (c == '\\' && at < text.length()) {
        char escaped = text.charAt(at++);
        c =
            switch (escaped) {
              case 'n' -> '\n';
              case 't' -> '\t';
              case 'r' -> '\r';
              default -> escaped;
            };
      }
      value.append(c);
    }
    expect(quote);
    return value.toString();
  }

  private boolean word(String word) {
    int end = at + word.length();
    boolean found =
        text.startsWith(word, at)
            && end < text.length()
            && !Character.isLetterOrDigit(text.charAt(end));
    if (found) {
      at = end;
    }
    return found;
  }

  private void close() throws TemplateException {
    blanks();
    expect('}');
  }

  private void expect(char wanted) throws TemplateException {
    if (!peek(wanted)) {
      throw problem("expected " + wanted);
    }
    at++;
  }

  private boolean peek(char c) {
    return at < text.length() && text.charAt(at) == c;
  }

  private void blanks() {
    while (peek(' ')) {
      at++;
    }
  }

  private TemplateException problem(String what) {
    String rest = at < text.length() ? "at \"" + text.substring(at) + "\"" : "at the end";
    return new TemplateException("jsonpath: column " + (at + 1) + ", " + rest + ": " + what);
  }
}
