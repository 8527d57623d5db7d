package io.margay.bgp.rib;

import java.util.Arrays;

/// A growing table of records of a few numbers each, in pages: what belongs to one record lies side
/// by side, and growth copies no values. Values never set are 0.
final class Records {

  private static final int SHIFT = 10;
  private static final int PAGE = 1 << SHIFT;
  private static final int MASK = PAGE - 1;
  private static final int FIRST_PAGES = 4;

  private final int width;
  private int[][] pages = new int[FIRST_PAGES][];
  private int used;

  /// @param width numbers in a record
  Records(int width) {
    this.width = width;
  }

  /// Where a record begins in its page.
  int offset(int record) {
    return (record & MASK) * width;
  }

  /// The page of a record, which is made if need be.
  int[] writable(int record) {
    int page = record >>> SHIFT;
    while (page >= used) {
      if (used == pages.length) {
        pages = Arrays.copyOf(pages, used * 2);
      }
      pages[used++] = new int[PAGE * width];
    }
    return pages[page];
  }

  int get(int record, int field) {
    int page = record >>> SHIFT;
    return page < used ? pages[page][(record & MASK) * width + field] : 0;
  }

  void set(int record, int field, int value) {
    writable(record)[offset(record) + field] = value;
  }

  /// Adds and answers the sum.
  int add(int record, int field, int difference) {
    int at = offset(record) + field;
    int[] page = writable(record);
    page[at] += difference;
    return page[at];
  }
}
