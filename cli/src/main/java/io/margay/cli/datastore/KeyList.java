package io.margay.cli.datastore;

import java.io.PrintWriter;
import java.util.Collection;

/// Keys for people: the first ones, and how many more.
final class KeyList {

  /// More than this nobody reads.
  static final int MAX_SHOWN = 20;

  private KeyList() {}

  /// Prints how many there are and which; nothing if there are none.
  static void print(String what, Collection<String> keys, PrintWriter to) {
    if (keys.isEmpty()) {
      return;
    }
    to.println(keys.size() + " " + what + ":");
    keys.stream().limit(MAX_SHOWN).forEach(key -> to.println("  " + key));
    if (keys.size() > MAX_SHOWN) {
      to.println("  and " + (keys.size() - MAX_SHOWN) + " more");
    }
  }
}
