package io.margay.model.selector;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.List;

/// The canonical text of a syntax tree and the id made from it, in Calico's form.
final class Canonical {

  private Canonical() {}

  static String text(SelectorNode node) {
    StringBuilder out = new StringBuilder();
    write(node, out);
    return out.toString();
  }

  private static void write(SelectorNode node, StringBuilder out) {
    switch (node) {
      case SelectorNode.All() -> out.append("all()");
      case SelectorNode.Global() -> out.append("global()");
      case SelectorNode.Has(String key) -> out.append("has(").append(key).append(')');
      case SelectorNode.Equal(String key, String value) -> compare(key, " == ", value, out);
      case SelectorNode.NotEqual(String key, String value) -> compare(key, " != ", value, out);
      case SelectorNode.Contains(String key, String value) ->
          compare(key, " contains ", value, out);
      case SelectorNode.StartsWith(String key, String value) ->
          compare(key, " starts with ", value, out);
      case SelectorNode.EndsWith(String key, String value) ->
          compare(key, " ends with ", value, out);
      case SelectorNode.In(String key, List<String> values) -> member(key, " in {", values, out);
      case SelectorNode.NotIn(String key, List<String> values) ->
          member(key, " not in {", values, out);
      case SelectorNode.Not(SelectorNode operand) -> {
        out.append('!');
        write(operand, out);
      }
      case SelectorNode.And(List<SelectorNode> operands) -> join(operands, " && ", out);
      case SelectorNode.Or(List<SelectorNode> operands) -> join(operands, " || ", out);
    }
  }

  private static void compare(String key, String operator, String value, StringBuilder out) {
    out.append(key).append(operator);
    quote(value, out);
  }

  private static void member(String key, String operator, List<String> values, StringBuilder out) {
    out.append(key).append(operator);
    for (int i = 0; i < values.size(); i++) {
      if (i > 0) {
        out.append(", ");
      }
      quote(values.get(i), out);
    }
    out.append('}');
  }

  /// There are no escapes; a value with a double quote can't also have a single one.
  private static void quote(String value, StringBuilder out) {
    char quote = value.indexOf('"') < 0 ? '"' : '\'';
    out.append(quote).append(value).append(quote);
  }

  private static void join(List<SelectorNode> operands, String operator, StringBuilder out) {
    out.append('(');
    for (int i = 0; i < operands.size(); i++) {
      if (i > 0) {
        out.append(operator);
      }
      write(operands.get(i), out);
    }
    out.append(')');
  }

  static SelectorId id(String canonical) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-224")
              .digest(("s:" + canonical).getBytes(StandardCharsets.UTF_8));
      return new SelectorId("s:" + Base64.getUrlEncoder().withoutPadding().encodeToString(digest));
    } catch (NoSuchAlgorithmException absent) {
      throw new IllegalStateException(
          "this Java has no SHA-224, which every Java must have", absent);
    }
  }
}
