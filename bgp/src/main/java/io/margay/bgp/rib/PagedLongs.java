package io.margay.bgp.rib;

/// A growing `long[]` in pages: growth copies no values. Values never set are 0.
final class PagedLongs {

  private static final int SHIFT = 10;
  private static final int PAGE = 1 << SHIFT;
  private static final int MASK = PAGE - 1;
  private static final int FIRST_PAGES = 4;

  private long[][] pages = new long[0][];
  private int used;

  long get(int index) {
    int page = index >>> SHIFT;
    return page < used ? pages[page][index & MASK] : 0;
  }

  void set(int index, long value) {
    int page = index >>> SHIFT;
    while (page >= used) {
      if (used == pages.length) {
        long[][] more = new long[Math.max(FIRST_PAGES, pages.length * 2)][];
        System.arraycopy(pages, 0, more, 0, pages.length);
        pages = more;
      }
      pages[used++] = new long[PAGE];
    }
    pages[page][index & MASK] = value;
  }
}
