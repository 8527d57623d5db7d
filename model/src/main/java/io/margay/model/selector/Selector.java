package io.margay.model.selector;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.UnaryOperator;

/// A parsed label selector. Equal when the text is equal; [#id] is equal when the meaning was
/// written the same way.
///
/// Grammar: `==`, `!=`, `in {…}`, `not in {…}`, `contains`, `starts with`, `ends with`, `has(k)`,
/// `all()`, `global()`, `!`, `&&`, `||`, parentheses. The empty text is `all()`.
public final class Selector {

  /// Longest text accepted, in characters.
  public static final int MAX_LENGTH = 64 * 1024;

  /// Deepest nesting of `!` and parentheses accepted.
  public static final int MAX_NESTING = 200;

  /// Longest label key, in characters.
  public static final int MAX_LABEL_LENGTH = 512;

  /// Label that every namespaced object has in the eyes of a selector.
  public static final String NAMESPACE_LABEL = "projectcalico.org/namespace";

  /// Label of endpoints that run as a service account.
  public static final String SERVICE_ACCOUNT_LABEL = "projectcalico.org/serviceaccount";

  /// Prefix of labels an endpoint inherits from its namespace.
  public static final String NAMESPACE_LABEL_PREFIX = "pcns.";

  /// Prefix of labels an endpoint inherits from its service account.
  public static final String SERVICE_ACCOUNT_LABEL_PREFIX = "pcsa.";

  /// Whether a label is for namespaces or service accounts to hand down. A pod that brought it
  /// along would claim to be of another than it is.
  public static boolean isHandedDown(String label) {
    return label.startsWith(NAMESPACE_LABEL_PREFIX)
        || label.startsWith(SERVICE_ACCOUNT_LABEL_PREFIX);
  }

  /// `all()`.
  public static final Selector ALL = new Selector("all()", new SelectorNode.All());

  private final String text;
  private final SelectorNode root;
  private final String canonical;
  private final SelectorId id;

  private Selector(String text, SelectorNode root) {
    this.text = text;
    this.root = root;
    this.canonical = Canonical.text(root);
    this.id = Canonical.id(canonical);
  }

  /// Parses `text`.
  ///
  /// @throws SelectorSyntaxException naming the column
  public static Selector parse(String text) {
    return new Selector(text, Parser.parse(text));
  }

  /// The selector of a tree made elsewhere.
  public static Selector of(SelectorNode root) {
    return new Selector(Canonical.text(root), root);
  }

  /// As written.
  public String text() {
    return text;
  }

  /// The syntax tree.
  public SelectorNode root() {
    return root;
  }

  /// One text for all ways to space, quote, parenthesise and repeat the same tests. Operands keep
  /// their order.
  public String canonical() {
    return canonical;
  }

  /// The name of the set of objects it picks.
  public SelectorId id() {
    return id;
  }

  /// Whether an object with these labels is picked.
  public boolean matches(LabelLookup labels) {
    return matches(root, labels);
  }

  private static boolean matches(SelectorNode node, LabelLookup labels) {
    return switch (node) {
      case SelectorNode.All() -> true;
      case SelectorNode.Global() -> true;
      case SelectorNode.Has(String key) -> labels.get(key) != null;
      case SelectorNode.Equal(String key, String value) -> value.equals(labels.get(key));
      case SelectorNode.NotEqual(String key, String value) -> !value.equals(labels.get(key));
      case SelectorNode.In(String key, List<String> values) -> {
        String label = labels.get(key);
        yield label != null && Collections.binarySearch(values, label) >= 0;
      }
      case SelectorNode.NotIn(String key, List<String> values) -> {
        String label = labels.get(key);
        yield label == null || Collections.binarySearch(values, label) < 0;
      }
      case SelectorNode.Contains(String key, String value) -> {
        String label = labels.get(key);
        yield label != null && label.contains(value);
      }
      case SelectorNode.StartsWith(String key, String value) -> {
        String label = labels.get(key);
        yield label != null && label.startsWith(value);
      }
      case SelectorNode.EndsWith(String key, String value) -> {
        String label = labels.get(key);
        yield label != null && label.endsWith(value);
      }
      case SelectorNode.Not(SelectorNode operand) -> !matches(operand, labels);
      case SelectorNode.And(List<SelectorNode> operands) -> {
        for (SelectorNode operand : operands) {
          if (!matches(operand, labels)) {
            yield false;
          }
        }
        yield true;
      }
      case SelectorNode.Or(List<SelectorNode> operands) -> {
        for (SelectorNode operand : operands) {
          if (matches(operand, labels)) {
            yield true;
          }
        }
        yield false;
      }
    };
  }

  /// This selector over namespaces as one over their endpoints: keys prefixed
  /// [#NAMESPACE_LABEL_PREFIX], `all()` = has a namespace, `global()` = has none.
  public Selector forNamespaces() {
    SelectorNode has = new SelectorNode.Has(NAMESPACE_LABEL);
    return of(rewrite(root, NAMESPACE_LABEL_PREFIX, has, new SelectorNode.Not(has)));
  }

  /// This selector over service accounts as one over their endpoints: keys prefixed
  /// [#SERVICE_ACCOUNT_LABEL_PREFIX]; `all()` stays all.
  public Selector forServiceAccounts() {
    return of(
        rewrite(
            root, SERVICE_ACCOUNT_LABEL_PREFIX, new SelectorNode.All(), new SelectorNode.Global()));
  }

  /// As [#forServiceAccounts], but `all()` picks only endpoints that run as a service account: what
  /// a GlobalNetworkPolicy's `serviceAccountSelector` means.
  public Selector forServiceAccountsOnly() {
    return of(
        rewrite(
            root,
            SERVICE_ACCOUNT_LABEL_PREFIX,
            new SelectorNode.Has(SERVICE_ACCOUNT_LABEL),
            new SelectorNode.Global()));
  }

  private static SelectorNode rewrite(
      SelectorNode node, String prefix, SelectorNode all, SelectorNode global) {
    UnaryOperator<SelectorNode> inner = operand -> rewrite(operand, prefix, all, global);
    return switch (node) {
      case SelectorNode.All() -> all;
      case SelectorNode.Global() -> global;
      case SelectorNode.Has(String key) -> new SelectorNode.Has(prefix + key);
      case SelectorNode.Equal(String key, String value) ->
          new SelectorNode.Equal(prefix + key, value);
      case SelectorNode.NotEqual(String key, String value) ->
          new SelectorNode.NotEqual(prefix + key, value);
      case SelectorNode.In(String key, List<String> values) ->
          new SelectorNode.In(prefix + key, values);
      case SelectorNode.NotIn(String key, List<String> values) ->
          new SelectorNode.NotIn(prefix + key, values);
      case SelectorNode.Contains(String key, String value) ->
          new SelectorNode.Contains(prefix + key, value);
      case SelectorNode.StartsWith(String key, String value) ->
          new SelectorNode.StartsWith(prefix + key, value);
      case SelectorNode.EndsWith(String key, String value) ->
          new SelectorNode.EndsWith(prefix + key, value);
      case SelectorNode.Not(SelectorNode operand) -> new SelectorNode.Not(inner.apply(operand));
      case SelectorNode.And(List<SelectorNode> operands) ->
          new SelectorNode.And(operands.stream().map(inner).toList());
      case SelectorNode.Or(List<SelectorNode> operands) ->
          new SelectorNode.Or(operands.stream().map(inner).toList());
    };
  }

  /// Objects both pick. `all()` adds nothing.
  public Selector and(Selector other) {
    if (other.root instanceof SelectorNode.All) {
      return this;
    }
    if (root instanceof SelectorNode.All) {
      return other;
    }
    List<SelectorNode> operands = new ArrayList<>(conjuncts());
    operands.addAll(other.conjuncts());
    return of(new SelectorNode.And(operands));
  }

  private List<SelectorNode> conjuncts() {
    return root instanceof SelectorNode.And(List<SelectorNode> operands) ? operands : List.of(root);
  }

  /// Objects this one does not pick.
  public Selector negated() {
    return of(new SelectorNode.Not(root));
  }

  /// Whether `global()` occurs anywhere; it has a meaning in a `namespaceSelector` only.
  public boolean usesGlobal() {
    return usesGlobal(root);
  }

  private static boolean usesGlobal(SelectorNode node) {
    return switch (node) {
      case SelectorNode.Global() -> true;
      case SelectorNode.Not(SelectorNode operand) -> usesGlobal(operand);
      case SelectorNode.And(List<SelectorNode> operands) ->
          operands.stream().anyMatch(Selector::usesGlobal);
      case SelectorNode.Or(List<SelectorNode> operands) ->
          operands.stream().anyMatch(Selector::usesGlobal);
      case SelectorNode.All _,
          SelectorNode.Has _,
          SelectorNode.Equal _,
          SelectorNode.NotEqual _,
          SelectorNode.In _,
          SelectorNode.NotIn _,
          SelectorNode.Contains _,
          SelectorNode.StartsWith _,
          SelectorNode.EndsWith _ ->
          false;
    };
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Selector selector && text.equals(selector.text);
  }

  @Override
  public int hashCode() {
    return text.hashCode();
  }

  @Override
  public String toString() {
    return text;
  }
}
