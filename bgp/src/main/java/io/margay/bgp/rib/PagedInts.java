package io.margay.bgp.rib;

/// A growing `int[]` in pages: growth copies no values, and a page nobody wrote takes nothing.
/// Values never set are 0.
final class PagedInts {

  private static final int SHIFT = 10;
  private static final int PAGE = 1 << SHIFT;
  private static final int MASK = PAGE - 1;
  private static final int[] ZEROES = new int[PAGE];
  private static final int FIRST_PAGES = 4;

  private int[][] pages = new int[0][];

  int get(int index) {
    int page = index >>> SHIFT;
    return page < pages.length ? pages[page][index & MASK] : 0;
  }

  // A page is the one of zeroes, not one like it.
  @SuppressWarnings("ReferenceEquality")
  void set(int index, int value) {
    int page = index >>> SHIFT;
    if (page >= pages.length || pages[page] == ZEROES) {
      if (value == 0) {
        return;
      }
      addPage(page);
    }
    pages[page][index & MASK] = value;
  }

  /// Adds and answers the sum.
  int add(int index, int difference) {
    int sum = get(index) + difference;
    set(index, sum);
    return sum;
  }

  private void addPage(int page) {
    if (page >= pages.length) {
      int[][] more = new int[Math.max(FIRST_PAGES, Math.max(page + 1, pages.length * 2))][];
      System.arraycopy(pages, 0, more, 0, pages.length);
      for (int i = pages.length; i < more.length; i++) {
        more[i] = ZEROES;
      }
      pages = more;
    }
    pages[page] = new int[PAGE];
  }
}
