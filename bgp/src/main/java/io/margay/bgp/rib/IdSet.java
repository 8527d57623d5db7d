package io.margay.bgp.rib;

import java.util.Arrays;

/// A set of small numbers: a bit each, and the range of words that may hold one, so that a nearly
/// empty set of a large table is walked in no time.
final class IdSet {

  private long[] words = new long[0];
  private int size;

  /// No word outside `first..last` has a bit.
  private int first = Integer.MAX_VALUE;

  private int last = -1;

  int size() {
    return size;
  }

  boolean isEmpty() {
    return size == 0;
  }

  boolean contains(int id) {
    int word = id >>> 6;
    return word < words.length && (words[word] & 1L << id) != 0;
  }

  void add(int id) {
    int word = id >>> 6;
    if (word >= words.length) {
      words = Arrays.copyOf(words, Math.max(word + 1, words.length * 2));
    }
    long before = words[word];
    long after = before | 1L << id;
    if (before != after) {
      words[word] = after;
      size++;
      first = Math.min(first, word);
      last = Math.max(last, word);
    }
  }

  void addAll(IdSet other) {
    if (other.isEmpty()) {
      return;
    }
    if (other.last >= words.length) {
      words = Arrays.copyOf(words, Math.max(other.last + 1, words.length * 2));
    }
    for (int word = other.first; word <= other.last; word++) {
      long added = other.words[word] & ~words[word];
      words[word] |= added;
      size += Long.bitCount(added);
    }
    first = Math.min(first, other.first);
    last = Math.max(last, other.last);
  }

  void remove(int id) {
    int word = id >>> 6;
    if (contains(id)) {
      words[word] &= ~(1L << id);
      size--;
    }
  }

  /// The least member from `id` on; -1 if there is none.
  int next(int id) {
    if (size == 0) {
      return -1;
    }
    int word = id >>> 6;
    long bits;
    if (word < first) {
      word = first;
      bits = words[word];
    } else if (word > last) {
      return -1;
    } else {
      bits = words[word] & -1L << id;
    }
    while (bits == 0) {
      if (++word > last) {
        return -1;
      }
      bits = words[word];
    }
    return (word << 6) + Long.numberOfTrailingZeros(bits);
  }

  /// Takes the least member out; -1 if there is none.
  int takeFirst() {
    int id = next(0);
    if (id >= 0) {
      first = id >>> 6;
      remove(id);
      if (size == 0) {
        forgetRange();
      }
    }
    return id;
  }

  void clear() {
    if (size > 0) {
      Arrays.fill(words, first, last + 1, 0);
      size = 0;
    }
    forgetRange();
  }

  private void forgetRange() {
    first = Integer.MAX_VALUE;
    last = -1;
  }
}
