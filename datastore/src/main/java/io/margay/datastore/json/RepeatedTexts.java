package io.margay.datastore.json;

import org.jspecify.annotations.Nullable;

/// One copy of the texts that document after document has: namespaces, nodes, profiles, values of
/// labels. Of an endpoint's twenty texts fourteen are such, and a listing keeps all its endpoints.
///
/// A table of one place for each hash, in which the newer text displaces the older: it never grows,
/// and a text it has lost is only kept twice. Threads may race for a place, since a String is whole
/// to whoever finds it.
final class RepeatedTexts {

  /// More than the nodes, namespaces and applications of a large cluster.
  private static final int PLACES = 1 << 14;

  /// The longest value of a label and the longest profile are shorter.
  private static final int LONGEST = 128;

  private final @Nullable String[] kept = new String[PLACES];

  /// An equal text, the same one as long as nothing displaced it.
  String one(String text) {
    if (text.length() > LONGEST) {
      return text;
    }
    int hash = text.hashCode();
    int place = (hash ^ hash >>> 14) & PLACES - 1;
    String known = kept[place];
    if (known != null && known.equals(text)) {
      return known;
    }
    kept[place] = text;
    return text;
  }
}
