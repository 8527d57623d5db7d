package io.margay.linux.nft;

import java.nio.ByteBuffer;
import java.util.List;

/// Which part of a refused step the kernel means: NLMSGERR_ATTR_OFFS says where in the message the
/// attribute at fault begins.
final class NftCulprit {

  private static final int RULE_EXPRESSIONS = 4;
  private static final int SET_ELEMENTS = 3;

  private NftCulprit() {}

  /// @param firstElement of the step's elements, the one the message begins with
  /// @param start where the message begins
  /// @param offset of the attribute at fault from there
  /// @return to follow the step's subject; empty if it says nothing more
  static String name(NftOp step, int firstElement, ByteBuffer octets, int start, int offset) {
    int at = start + offset;
    AttributeReader attributes =
        new AttributeReader(
            octets, start + AttributeWriter.HEADER_OCTETS, start + octets.getInt(start));
    return switch (step) {
      case NftOp.AddTable _ -> attribute(attributes, at, "", "its name", "its flags");
      case NftOp.DeleteTable _,
          NftOp.FlushChain _,
          NftOp.DeleteChain _,
          NftOp.DeleteSet _,
          NftOp.DeleteObject _ ->
          "";
      case NftOp.AddChain _ ->
          attribute(
              attributes,
              at,
              "",
              "its table",
              "",
              "its name",
              "its hook",
              "its policy",
              "",
              "its type");
      case NftOp.AddSet _ ->
          attribute(
              attributes,
              at,
              "",
              "its table",
              "its name",
              "its flags",
              "its key type",
              "its key length",
              "its data type",
              "its data length",
              "",
              "its field lengths");
      case NftOp.AddRule(NftTableName _, String _, NftRule rule, NftData _) -> {
        int index = child(attributes, RULE_EXPRESSIONS, at);
        List<NftExpr> expressions = rule.expressions();
        yield index < 0 || index >= expressions.size()
            ? ""
            : ", expression " + (index + 1) + ": " + expressions.get(index);
      }
      case NftOp.AddElements(NftTableName _, NftSet set, List<NftElement> elements) ->
          element(attributes, at, set, elements, firstElement);
      case NftOp.DeleteElements(NftTableName _, NftSet set, List<NftElement> elements) ->
          element(attributes, at, set, elements, firstElement);
    };
  }

  private static String attribute(AttributeReader in, int at, String... names) {
    while (in.next()) {
      if (at < in.position() + in.length()) {
        String name = in.type() < names.length ? names[in.type()] : "";
        return name.isEmpty() ? "" : ", " + name;
      }
    }
    return "";
  }

  private static String element(
      AttributeReader in, int at, NftSet set, List<NftElement> elements, int first) {
    int index = child(in, SET_ELEMENTS, at);
    return index < 0 || first + index >= elements.size()
        ? ""
        : ", element " + NftText.print(set, elements.get(first + index));
  }

  /// @return which attribute inside `parent` begins or lies at `at`; -1 if none does
  private static int child(AttributeReader in, int parent, int at) {
    while (in.next()) {
      if (in.type() == parent) {
        AttributeReader children = in.nested();
        for (int index = 0; children.next(); index++) {
          int begins = children.position() - 4;
          if (at >= begins && at < children.position() + children.length()) {
            return index;
          }
        }
        return -1;
      }
    }
    return -1;
  }
}
