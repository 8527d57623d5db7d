package io.margay.datastore;

import java.util.Comparator;

/// Text as the store sees it: octets of UTF-8.
final class Utf8 {

  /// The order of etcd's keys. It differs from `String`'s own where characters beyond U+FFFF meet
  /// those from U+E000 on.
  static final Comparator<String> ORDER = Utf8::compare;

  private static final int SURROGATE_SHIFT = 0x2000;

  private Utf8() {}

  /// The octets of `text` in UTF-8, without encoding it.
  static long length(String text) {
    long octets = 0;
    for (int i = 0; i < text.length(); i++) {
      char at = text.charAt(i);
      // Each half of a pair counts two of the pair's four octets.
      octets += at < 0x80 ? 1 : at < 0x800 || Character.isSurrogate(at) ? 2 : 3;
    }
    return octets;
  }

  private static int compare(String left, String right) {
    int shared = Math.min(left.length(), right.length());
    for (int i = 0; i < shared; i++) {
      char a = left.charAt(i);
      char b = right.charAt(i);
      if (a != b) {
        return Integer.compare(rank(a), rank(b));
      }
    }
    return Integer.compare(left.length(), right.length());
  }

  /// Surrogates after everything else of the basic plane.
  private static int rank(char unit) {
    if (unit < Character.MIN_SURROGATE) {
      return unit;
    }
    return Character.isSurrogate(unit) ? unit + SURROGATE_SHIFT : unit - 0x800;
  }
}
